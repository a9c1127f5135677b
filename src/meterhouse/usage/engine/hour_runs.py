"""Sorted runs of hours: cells of many owners in a few arrays, joined without going through them one by one.

Each series of hours (one owner and one combination of group-by values) has a number, its code. Amounts are a
whole number and a fraction, so that sums are exact; what does not fit is left out and named. Least and
greatest values are doubles, as everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from meterhouse.usage.model import Aggregation

ONE = 10**18  # what a fraction of one is counted in
_HALF = 10**9
WHOLE_BELOW = 2**53

Ints = npt.NDArray[np.int64]
Small = npt.NDArray[np.int32]
Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Run:
    """Hours in order of code and hour, at most one of each.

    `hours` since 1970; `counts` of usable values; of SUM and AVG `wholes` and `fractions` (in units of
    1/`ONE`, `None` when all are zero), of MIN and MAX `numbers`; `firsts` and `lasts` are microseconds of the
    first and last event from the start of the hour.
    """

    codes: Small
    hours: Small
    counts: Ints
    firsts: npt.NDArray[np.uint32]
    lasts: npt.NDArray[np.uint32]
    wholes: Ints | None = None
    fractions: Ints | None = None
    numbers: Doubles | None = None

    def __len__(self) -> int:
        return len(self.codes)

    def part(self, chosen: slice | Ints | npt.NDArray[np.bool_]) -> Run:
        """Some of the hours, in the order in which they are chosen."""
        return Run(
            self.codes[chosen],
            self.hours[chosen],
            self.counts[chosen],
            self.firsts[chosen],
            self.lasts[chosen],
            None if self.wholes is None else self.wholes[chosen],
            None if self.fractions is None else self.fractions[chosen],
            None if self.numbers is None else self.numbers[chosen],
        )

    def coded(self, codes: Small | int) -> Run:
        """The same hours under other codes, or all under one."""
        return replace(self, codes=np.broadcast_to(np.asarray(codes, dtype=np.int32), len(self)))

    def of(self, code: int) -> Run:
        """The hours of one code."""
        low, high = np.searchsorted(self.codes, np.array((code, code + 1), dtype=np.int32))
        return self.part(slice(low, high))


def joined(aggregation: Aggregation, runs: Sequence[Run]) -> tuple[Run, list[int]]:
    """One run of all hours, those of the same code and hour as one, and the codes of hours left out.

    The runs need not be in order.
    """
    mixed = _concatenated(runs)
    keys = (mixed.codes.astype(np.int64) << 32) + (mixed.hours.astype(np.int64) + 2**31)
    order = np.argsort(keys, kind="stable")  # runs in order are found in order, which is quick
    mixed, keys = mixed.part(order), keys[order]
    begins = np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1]))) if len(keys) else order
    if len(begins) == len(keys):
        return mixed, []
    one = Run(
        mixed.codes[begins],
        mixed.hours[begins],
        np.add.reduceat(mixed.counts, begins),
        np.minimum.reduceat(mixed.firsts, begins),
        np.maximum.reduceat(mixed.lasts, begins),
        numbers=None if mixed.numbers is None else _extremes(aggregation, mixed, mixed.numbers, begins),
    )
    return (one, []) if mixed.wholes is None else _with_sums(one, mixed.wholes, mixed.fractions, begins)


def _concatenated(runs: Sequence[Run]) -> Run:
    fractions = [run.fractions for run in runs]
    has_fractions = any(fraction is not None for fraction in fractions)
    wholes = [run.wholes for run in runs if run.wholes is not None]
    numbers = [run.numbers for run in runs if run.numbers is not None]
    return Run(
        np.concatenate([run.codes for run in runs]),
        np.concatenate([run.hours for run in runs]),
        np.concatenate([run.counts for run in runs]),
        np.concatenate([run.firsts for run in runs]),
        np.concatenate([run.lasts for run in runs]),
        np.concatenate(wholes) if wholes else None,
        np.concatenate([_or_zeros(run) for run in runs]) if has_fractions else None,
        np.concatenate(numbers) if numbers else None,
    )


def _or_zeros(run: Run) -> Ints:
    return np.zeros(len(run), dtype=np.int64) if run.fractions is None else run.fractions


def _extremes(aggregation: Aggregation, mixed: Run, numbers: Doubles, begins: Ints) -> Doubles:
    """The least or greatest number of each hour; where nothing is counted it says nothing."""
    if aggregation is Aggregation.MIN:
        return np.minimum.reduceat(np.where(mixed.counts > 0, numbers, np.inf), begins)
    return np.maximum.reduceat(np.where(mixed.counts > 0, numbers, -np.inf), begins)


def _with_sums(one: Run, wholes: Ints, fractions: Ints | None, begins: Ints) -> tuple[Run, list[int]]:
    sums = np.add.reduceat(wholes, begins)
    nearly = np.add.reduceat(wholes.astype(np.float64), begins)  # tells whether 64 bits hold the sum
    parts = None
    if fractions is not None:
        # Halves, because a handful of fractions of this size would run over.
        high = np.add.reduceat(fractions // _HALF, begins)
        low = np.add.reduceat(fractions % _HALF, begins)
        high += low // _HALF
        sums += high // _HALF
        parts = high % _HALF * _HALF + low % _HALF
    fits = (np.abs(nearly) < 2.0**62) & (np.abs(sums) < WHOLE_BELOW)
    summed = Run(one.codes, one.hours, one.counts, one.firsts, one.lasts, sums, parts)
    if fits.all():
        return summed, []
    return summed.part(fits), np.unique(one.codes[~fits]).tolist()
