"""Runs of hours against a plain dictionary of exact numbers."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterhouse.usage.engine.hour_runs import ONE, WHOLE_BELOW, Run, joined
from meterhouse.usage.model import Aggregation

Cell = tuple[int, int, int, int, int, Fraction]
"""Code, hour, count, first, last and amount."""

AMOUNTS = st.sampled_from([0, 1, -1, 7, WHOLE_BELOW - 1, -WHOLE_BELOW + 1, WHOLE_BELOW // 3])
PARTS = st.sampled_from([0, 0, 1, ONE - 1, ONE // 2, 10**9, 999_999_999])
CELLS = st.builds(
    lambda code, hour, count, times, whole, part: (
        (code, hour, count, min(times), max(times), whole + Fraction(part if whole >= 0 else -part, ONE))
    ),
    st.integers(0, 3),
    st.sampled_from([-17_000_000, -1, 0, 1, 2, 70_000_000]),
    st.integers(0, 3),
    st.tuples(st.integers(0, 3_599_999_999), st.integers(0, 3_599_999_999)),
    AMOUNTS,
    PARTS,
)
RUNS = st.lists(st.lists(CELLS, max_size=6), min_size=1, max_size=8)


def run_of(cells: Sequence[Cell], aggregation: Aggregation) -> Run:
    codes, hours, counts, firsts, lasts, amounts = zip(*cells, strict=True) if cells else [()] * 6
    whole = [int(amount) for amount in amounts]
    parts = [int((amount - int(amount)) * ONE) for amount in amounts]
    is_sum = aggregation is Aggregation.SUM
    is_extreme = aggregation in (Aggregation.MIN, Aggregation.MAX)
    return Run(
        np.array(codes, dtype=np.int32),
        np.array(hours, dtype=np.int32),
        np.array(counts, dtype=np.int64),
        np.array(firsts, dtype=np.uint32),
        np.array(lasts, dtype=np.uint32),
        np.array(whole, dtype=np.int64) if is_sum else None,
        np.array(parts, dtype=np.int64) if is_sum and any(parts) else None,
        np.array([float(amount) for amount in amounts]) if is_extreme else None,
    )


def amount_of(run: Run, place: int) -> Fraction:
    if run.wholes is not None:
        rest = 0 if run.fractions is None else int(run.fractions[place])
        return int(run.wholes[place]) + Fraction(rest, ONE)
    return Fraction(0) if run.numbers is None else Fraction(float(run.numbers[place]))


def amounts_together(aggregation: Aggregation, cells: Sequence[Cell]) -> Fraction:
    if aggregation is Aggregation.SUM:
        return sum((cell[5] for cell in cells), Fraction(0))
    usable = [Fraction(float(cell[5])) for cell in cells if cell[2]]
    if aggregation is Aggregation.COUNT or not usable:
        return Fraction(0)
    return min(usable) if aggregation is Aggregation.MIN else max(usable)


@given(RUNS, st.sampled_from([Aggregation.SUM, Aggregation.COUNT, Aggregation.MIN, Aggregation.MAX]))
def test_joined_runs_hold_what_each_of_them_held(runs: list[list[Cell]], aggregation: Aggregation) -> None:
    found, left_out = joined(aggregation, [run_of(cells, aggregation) for cells in runs])
    together: dict[tuple[int, int], list[Cell]] = {}
    for cell in (cell for cells in runs for cell in cells):
        together.setdefault((cell[0], cell[1]), []).append(cell)
    places = list(zip(found.codes.tolist(), found.hours.tolist(), strict=True))
    assert places == sorted(set(places))
    missing = together.keys() - set(places)
    assert {code for code, _ in missing} == set(left_out)
    for key in missing:
        assert abs(amounts_together(aggregation, together[key])) >= WHOLE_BELOW - 1
    for place, key in enumerate(places):
        cells = together[key]
        assert found.counts[place] == sum(cell[2] for cell in cells)
        assert found.firsts[place] == min(cell[3] for cell in cells)
        assert found.lasts[place] == max(cell[4] for cell in cells)
        if found.counts[place] or aggregation is Aggregation.SUM:
            assert amount_of(found, place) == amounts_together(aggregation, cells)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("count", [2, 1_024, 2_048, 3_000])
def test_a_sum_that_64_bits_do_not_hold_is_left_out(count: int, sign: int) -> None:
    """Also one that would run over to a number that looks right."""
    cells: list[Cell] = [(1, 5, 1, 0, 0, Fraction(sign * (WHOLE_BELOW - 1)))] * count
    kept: Cell = (2, 5, 1, 0, 0, Fraction(sign))
    found, left_out = joined(Aggregation.SUM, [run_of([*cells, kept], Aggregation.SUM)])
    assert left_out == [1]
    assert found.codes.tolist() == [2]


def test_fractions_of_many_cells_do_not_run_over() -> None:
    cells: list[Cell] = [(0, 0, 1, 0, 0, Fraction(ONE - 1, ONE))] * 1_000
    found, left_out = joined(Aggregation.SUM, [run_of(cells, Aggregation.SUM)])
    assert not left_out
    assert amount_of(found, 0) == 1_000 * Fraction(ONE - 1, ONE)


def test_the_hours_of_one_code() -> None:
    cells: list[Cell] = [(code, hour, 1, 0, 0, Fraction(hour)) for code in (0, 2, 3) for hour in range(3)]
    run = run_of(cells, Aggregation.SUM)
    assert [len(run.of(code)) for code in range(-1, 5)] == [0, 3, 0, 3, 3, 0]
    assert run.of(2).codes.tolist() == [2, 2, 2]
    assert run.of(2).coded(7).codes.tolist() == [7, 7, 7]
