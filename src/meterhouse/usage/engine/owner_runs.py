"""The hours of all owners of a meter in memory, so that a first question about one of them is quick as well.

They are a rollup's hours of owners by some of the meter's group-bys, read batch by batch: one run of hours
for each step, joined as they grow in number. They hold every event with a `seq` up to `upto`; what came since
is for the caller to add. Series whose amounts do not fit into a run are not answered from here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from meterhouse.usage.engine import rollups
from meterhouse.usage.engine.compile import CompiledQuery
from meterhouse.usage.engine.hour_runs import ONE, WHOLE_BELOW, Ints, Run, Small, joined
from meterhouse.usage.engine.hours import CELLS_MAX, Hours
from meterhouse.usage.engine.rollups import HOUR_S, OWNED_HOURS, Batch
from meterhouse.usage.model import Aggregation, Meter, MeterQuery

RUNS_MAX = 6  # looked through for each series
GROWTH = 4  # a run is joined with those behind it that are no smaller than a fourth of it

Groups = tuple[str, ...]
_HELD = frozenset({"hour", "count", "first", "last", "whole", "fraction", "number"})
_Label = tuple[str, str, Groups]
"""Subject and customer, of which one is empty, and the values of the group-bys."""


@dataclass(frozen=True)
class _State:
    """What changes together: answers rest on one state throughout."""

    upto: int = -1
    runs: tuple[Run, ...] = ()
    unfit: frozenset[int] = frozenset()


class OwnerRuns:
    """Hours of all owners by the group-bys that are named. Steps are taken one after another."""

    def __init__(self, meter: Meter, groups: Groups) -> None:
        self.meter = meter
        self.groups = groups
        self._state = _State()
        self._codes: dict[_Label, int] = {}
        self._labels: list[_Label] = []
        self._of_subject: defaultdict[str, list[int]] = defaultdict(list)
        self._of_customer: defaultdict[str, list[int]] = defaultdict(list)

    @property
    def upto(self) -> int:
        """The `seq` up to which every event is held; -1 for nothing."""
        return self._state.upto

    @property
    def cells(self) -> int:
        return sum(len(run) for run in self._state.runs)

    @property
    def series(self) -> int:
        return len(self._labels)

    def take(self, batches: Sequence[Batch], table: pa.Table) -> None:
        """Add what `compile_step` reads of batches that go on where the last ones ended. Takes a while."""
        state, aggregation = self._state, self.meter.aggregation
        runs, unfit = list(state.runs), set(state.unfit)
        if len(table):
            labels, places = _labels_of(table, ["subject", "customer", *_group_columns(self.groups)])
            codes = np.array([self._code_of(label) for label in labels], dtype=np.int32)
            run, fits = _run_of(aggregation, table, codes[places]), table.column("fits").to_numpy() > 0
            whole, left_out = joined(aggregation, [run.part(fits)])
            runs, more_left_out = _settled(aggregation, [*runs, whole])
            unfit.update(np.unique(run.codes[~fits]).tolist(), left_out, more_left_out)
        self._state = _State(batches[-1].upto, tuple(runs), frozenset(unfit))

    def _code_of(self, label: _Label) -> int:
        code = self._codes.get(label)
        if code is None:
            code = self._codes[label] = len(self._labels)
            self._labels.append(label)
            subject, customer_id, _ = label
            if customer_id:
                self._of_customer[customer_id].append(code)
            if subject or not customer_id:
                self._of_subject[subject].append(code)
        return code

    def find(self, wanted: MeterQuery) -> tuple[Hours, int] | None:
        """The hours of an hourly question about named owners, and the `seq` up to which they hold all events.

        `None` where they cannot be told from here.
        """
        hours, state = Hours(self.meter, wanted), self._state
        if wanted.customers is None and "" in (hours.reading.subjects or ()):
            return None  # the events of every customer who is named by our id
        found: defaultdict[tuple[object, ...], list[int]] = defaultdict(list)
        for code in self._candidates(hours, wanted):
            subject, customer_id, groups = self._labels[code]
            named = hours.reading.owner(subject, customer_id)
            if named is not None:
                found[(*named, *groups)].append(code)
        for others, codes in found.items():
            parts = [part for run in state.runs for code in codes if len(part := run.of(code))]
            if not state.unfit.isdisjoint(codes) or sum(map(len, parts)) > CELLS_MAX:
                return None
            series = _series_of(self.meter.aggregation, parts) if parts else None
            if parts and (series is None or not hours.hold(others, series)):
                return None
        return hours, state.upto

    def _candidates(self, hours: Hours, wanted: MeterQuery) -> list[int]:
        of_subjects = [self._of_subject.get(subject, ()) for subject in hours.reading.subjects or ()]
        of_customers = [self._of_customer.get(customer, ()) for customer in wanted.customers or ()]
        return list(dict.fromkeys(code for codes in (*of_subjects, *of_customers) for code in codes))


def _series_of(aggregation: Aggregation, parts: Sequence[Run]) -> Run | None:
    """Hours of some series as those of one; `None` where they do not fit into a run together."""
    if len(parts) == 1:
        return parts[0]
    run, left_out = joined(aggregation, [part.coded(0) for part in parts])
    return None if left_out else run


def _run_of(aggregation: Aggregation, table: pa.Table, codes: Small) -> Run:
    """The rows of `compile_step`, in their order."""
    held = {name: table.column(name).to_numpy() for name in table.column_names if name in _HELD}
    fractions = held.get("fraction")
    return Run(
        codes,
        held["hour"],
        held["count"],
        held["first"],
        held["last"],
        held.get("whole"),
        fractions if fractions is not None and fractions.any() else None,
        held.get("number"),
    )


def _labels_of(table: pa.Table, names: Sequence[str]) -> tuple[list[_Label], Ints]:
    """The different labels of a table's rows, and which of them each row has."""
    places, firsts = np.zeros(len(table), dtype=np.int64), np.zeros(1, dtype=np.int64)
    coded = [_encoded(table.column(name)) for name in names]
    for column in coded:
        if len(column.dictionary) > 1:
            keys = places * len(column.dictionary) + column.indices.to_numpy(zero_copy_only=False)
            _, firsts, places = np.unique(keys, return_index=True, return_inverse=True)
    subjects, customers, *groups = (column.take(firsts).to_pylist() for column in coded)
    grouped = list(zip(*groups, strict=True)) if groups else [()] * len(subjects)
    return list(zip(subjects, customers, grouped, strict=True)), places


def _encoded(column: pa.ChunkedArray) -> pa.DictionaryArray:
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    return column.unify_dictionaries().combine_chunks()


def _settled(aggregation: Aggregation, runs: list[Run]) -> tuple[list[Run], list[int]]:
    """Fewer runs with the same hours, each much longer than the next."""
    left_out: list[int] = []
    while len(runs) > 1 and (len(runs) > RUNS_MAX or len(runs[-1]) * GROWTH >= len(runs[-2])):
        one, more = joined(aggregation, runs[-2:])
        left_out += more
        runs = [*runs[:-2], one]
    return runs, left_out


def compile_step(meter: Meter, groups: Groups, batches: Sequence[Batch]) -> CompiledQuery:
    """The hours of owners in some batches, for `OwnerRuns.take`."""
    places = {name: place for place, name in enumerate(rollups.group_names(meter), 1)}
    chosen = {
        "subject": "toLowCardinality(subject)",
        "customer": "toLowCardinality(customer_id)",
        **{
            column: f"toLowCardinality(groups[{places[name]}])"
            for column, name in zip(_group_columns(groups), groups, strict=True)
        },
        "hour": f"toInt32(intDiv(start, {HOUR_S}))",
        "count": "toInt64(n)",
        "first": "toUInt32(first_at - start * 1000000)",
        "last": "toUInt32(last_at - start * 1000000)",
        **_amount(meter.aggregation),
    }
    listed = " OR ".join(
        f"(tier = {batch.tier} AND epoch = {batch.epoch} AND since = {batch.since} AND upto = {batch.upto})"
        for batch in batches
    )
    names = ", ".join(f"{made} AS {name}" for name, made in chosen.items())
    sql = (
        f"{_WITH.get(meter.aggregation, '')}SELECT {names} FROM {rollups.TABLE} "  # noqa: S608
        f"PREWHERE definition = toUInt128('{batches[0].definition}') AND level = {OWNED_HOURS} "
        f"WHERE {listed} SETTINGS output_format_arrow_low_cardinality_as_dictionary = 1, max_threads = 1"
    )
    return CompiledQuery(sql, {}, tuple(chosen))


def _group_columns(groups: Groups) -> list[str]:
    return [f"group{place}" for place in range(len(groups))]


_NEAR = (
    f"WITH if(abs(total) < {WHOLE_BELOW}, total, toDecimal256(0, 38)) AS a_near, toInt64(a_near) AS a_whole, "
    f"(a_near - a_whole) * toDecimal256('{ONE}', 0) AS a_rest, toInt64(a_rest) AS a_fraction "
)
_WITH = {Aggregation.SUM: _NEAR, Aggregation.AVG: _NEAR}


def _amount(aggregation: Aggregation) -> dict[str, str]:
    """Columns of what a cell amounts to, and whether they hold all of it."""
    if aggregation in _WITH:
        fits = "a_near = total AND a_rest = a_fraction AND empty(wide)"
        return {"whole": "a_whole", "fraction": "a_fraction", "fits": f"toUInt8({fits})"}
    number = {"number": "rollups.number"} if aggregation in (Aggregation.MIN, Aggregation.MAX) else {}
    return {**number, "fits": "toUInt8(1)"}
