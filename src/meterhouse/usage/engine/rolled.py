"""The same questions as `compile` and `quantities` answer, from a rollup and the few events it lacks.

An answer is put together from disjoint parts, each of which brings cells: the rollup's own; raw events that
are newer than the rollup or lie outside its stretch of time; and what corrections changed. From sums,
averages and counts the events that were removed are taken off; of other aggregations the cells in which
something was removed are left out and put together from raw events. Rows of a meter query that rest on no
value come along (`stands` tells them apart), because leaving them out here costs more. Where the rollup
cannot help, `None` says so and the raw query is asked instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from meterhouse.usage.engine import columns, filters
from meterhouse.usage.engine.compile import (
    NUMERIC,
    SETTINGS,
    CompiledQuery,
    Draft,
    base_conditions,
    bucket_expression,
    check_query,
    effective_groups,
    group_keys,
    match_conditions,
    owner_keys,
    value_columns,
)
from meterhouse.usage.engine.parameters import digits, to_micros
from meterhouse.usage.engine.quantities import CUSTOMER_KEY, CUSTOMER_RESULTS_MAX, plan_quantities
from meterhouse.usage.engine.rollups import (
    FOLDED,
    HOUR_S,
    HOURS,
    OWNED_HOURS,
    SMALL,
    TABLE,
    Rollup,
    Stretch,
    cell_aggregates,
    group_names,
    merged,
    plan_stretches,
    start_of,
    step_for,
)
from meterhouse.usage.engine.tail import ADDED, EVENTS_MAX, SELECTED
from meterhouse.usage.engine.windows import to_second
from meterhouse.usage.engine.zones import zone_table
from meterhouse.usage.model import Aggregation, Meter, MeterQuery, QuantityQuery, Window

MENDED = frozenset({Aggregation.SUM, Aggregation.AVG, Aggregation.COUNT})
"""What has no need to be put together anew when an event is taken off it."""

# Cells are too few for it to pay that expressions are compiled. How far a rollup reaches is part of these, so
# the engine would compile, and keep for long, new ones with every batch.
_SETTINGS = f"{SETTINGS}, compile_expressions = 0"

WIDE_COUNTED = "sum(length({0}wide))"

VERSION_PARAMETER = "{corrections_version:UInt64}"
"""Which corrections count; bound by whoever runs the query, together with the events it reads."""


@dataclass
class Question:
    """What both kinds of questions have in common: keys and conditions over raw events and over cells.

    `selected` and `base` speak of raw events, `cell_keys` and `cell_conditions` of cells. `is_narrow`: it is
    about named owners. `constants` are keys of which there is one value only; `more` are further columns
    over the keys, and `tail` stands for the usual grouping by these.
    """

    meter: Meter
    rollup: Rollup
    stretches: list[Stretch]
    from_us: int | None
    to_us: int | None
    draft: Draft
    has_windows: bool = True
    is_narrow: bool = False
    keys: list[str] = field(default_factory=list)
    selected: list[str] = field(default_factory=list)
    base: list[str] = field(default_factory=list)
    cell_keys: list[str] = field(default_factory=list)
    cell_conditions: list[str] = field(default_factory=list)
    cell_filters: list[str] = field(default_factory=list)
    constants: dict[str, object] = field(default_factory=dict)
    more: list[str] = field(default_factory=list)
    tail: str | None = None

    @property
    def is_mended(self) -> bool:
        return self.rollup.is_corrected and self.has_windows and self.meter.aggregation in MENDED

    @property
    def needed(self) -> dict[str, str]:
        """The parts of a cell that this question reads, and how they are made of raw values."""
        made = cell_aggregates(self.meter.aggregation)
        if self.has_windows:
            made.pop("first_at")
            made.pop("last_at")
        return made

    @property
    def is_split(self) -> bool:
        """Whether the events that cells lack are better read one by one: see `tail`."""
        is_added = self.meter.aggregation in ADDED and not self.rollup.is_corrected
        return self.is_narrow and is_added and (bool(self._edges()) or not self.rollup.reaches_all)

    def compile(self) -> CompiledQuery:
        """One query over all parts."""
        raws = self._raw_parts()
        return self._compiled(raws) if raws else self.compile_cells()

    def compile_cells(self, *, with_bounds: bool = False, limit: int | None = None) -> CompiledQuery:
        """One query over cells only; without windows it always tells bounds of time.

        `wide` is only a number where no wide values are expected: of those that there are.
        """
        return self._compiled([], with_bounds=with_bounds, limit=limit)

    def _compiled(
        self, raws: Sequence[str], *, with_bounds: bool = False, limit: int | None = None
    ) -> CompiledQuery:
        outer = merged(self.meter.aggregation, with_bounds=with_bounds or not self.has_windows)
        prefix, source = ("c_", f"({' UNION ALL '.join([self._cells(), *raws])})")
        keys, names = self.keys, self.keys
        if not raws:  # the plainest query is the quickest to plan
            prefix, source = f"{TABLE}.", f"{TABLE} {self._where()}"
            if "wide" in outer and not self.rollup.has_wide:
                outer["wide"] = WIDE_COUNTED  # which takes a tenth less than to add up nothing
            names = [name for name in self.keys if name not in self.constants]
            keys = [key for key in self.cell_keys if key.rsplit(" AS ", 1)[1] in names]
        tail = self.tail
        if tail is None:
            tail = f" GROUP BY {', '.join(names)}" if names else ""
        if limit is not None:
            tail += f" LIMIT {limit}"
        chosen = [*keys, *(f"{made.format(prefix)} AS {name}" for name, made in outer.items()), *self.more]
        # Few cells are read before other threads have begun.
        one_thread = ", max_threads = 1" if self.is_narrow and not raws else ""
        sql = f"SELECT {', '.join(chosen)} FROM {source}{tail} {_SETTINGS}{one_thread}"  # noqa: S608
        answered = (*names, *outer, *(item.rsplit(" AS ", 1)[1] for item in self.more))
        return CompiledQuery(sql, self._bound(sql), answered, {} if raws else self.constants)

    @property
    def lacks_after(self) -> int | None:
        """The number above which cells lack all events; `None` where they lack others as well."""
        return None if self._edges() else self.rollup.upto

    def compile_lacked(self) -> CompiledQuery:
        """The events that cells lack, one by one, and one more than may be read so."""
        lacked = " OR ".join([self._newer(), *self._edges()])
        sql = (
            f"SELECT {', '.join(SELECTED)} FROM {columns.TABLE} "  # noqa: S608
            f"WHERE {' AND '.join([*self.base, f'({lacked})'])} LIMIT {EVENTS_MAX + 1}"
        )
        return CompiledQuery(sql, self._bound(sql), SELECTED)

    def _bound(self, sql: str) -> dict[str, object]:
        """What of all that was bound a query needs."""
        return {name: value for name, value in self.draft.parameters.values.items() if f"{{{name}:" in sql}

    def _raw_parts(self) -> list[str]:
        found, edges = [], self._edges()
        if edges or self.rollup.is_corrected or not self.rollup.reaches_all:
            found.append(self._raw(" OR ".join([self._newer(), *edges])))
        if self.is_mended:
            found.append(self._removed())
        elif self.rollup.is_corrected:
            found.append(self._raw(f"NOT {self._newer()} AND {self._within()} AND {self._is_corrected()}"))
        return found

    def _signed(self, made: str, name: str) -> str:
        return f"toInt64({made})" if self.is_mended and name == "n" else made

    def _newer(self) -> str:
        return f"{columns.SEQ} > {digits(self.rollup.upto)}"

    def _edges(self) -> list[str]:
        """Conditions of the times that are asked for and lie outside the stretch of cells."""
        low, high = self.stretches[0].start_s, self.stretches[-1].end_s
        moment = f"toUnixTimestamp64Micro({columns.TIME})"
        edges = ((low, self.from_us, "<"), (high, self.to_us, ">="))
        return [
            f"{moment} {sign} {digits(at * 1_000_000)}"
            for at, asked, sign in edges
            if at is not None and at * 1_000_000 != asked
        ]

    def _within(self) -> str:
        edges = self._edges()
        return f"NOT ({' OR '.join(edges)})" if edges else "1"

    def _raw(self, condition: str) -> str:
        base = [*self.base, f"({condition})"]
        chosen = [
            *self.keys,
            *(f"{self._signed(made, name)} AS c_{name}" for name, made in self.needed.items()),
        ]
        grouping = f" GROUP BY {', '.join(self.keys)}" if self.keys else ""
        return self.draft.body(base, self.selected, chosen, f"{grouping} HAVING count() > 0")

    def _removed(self) -> str:
        """What the events that were removed hold of the cells, as less than nothing."""
        of = f"FROM corrections WHERE {self._counted()}"
        removed = [
            f"NOT {self._newer()} AND {self._within()}",
            # The first restates the second for the table's order.
            f"({columns.SUBJECT}, {columns.TIME}) IN (SELECT removed_subject, removed_time {of})",
            f"(key, {columns.UID}) IN (SELECT key, removed_uid {of})",
        ]
        less = {"n": "-toInt64({0})", "total": "-({0})", "wide": "mapApply((k, v) -> (k, -v), {0})"}
        chosen = [
            *self.keys,
            *(f"{less[name].format(made)} AS c_{name}" for name, made in self.needed.items()),
        ]
        grouping = f" GROUP BY {', '.join(self.keys)} HAVING count() > 0"
        return self.draft.body([*self.base, *removed], self.selected, chosen, grouping, table=columns.STORED)

    def _where(self) -> str:
        """Which cells are looked for, first by the key of the table, and which of them count."""
        counted = [self._batches(), *self.cell_filters]
        return f"PREWHERE {' AND '.join(self._key())} WHERE {' AND '.join(counted)}"

    def _key(self) -> list[str]:
        definition = f"definition = toUInt128('{self.rollup.definition}')"
        levels = " OR ".join(self._stretch(stretch) for stretch in self.stretches)
        return [definition, f"({levels})", *self.cell_conditions]

    def _batches(self) -> str:
        """Which batches count: what is folded up to one number, and small ones from there on up to another.

        Small ones of an earlier epoch are folded already. Tier and epoch are what the table is cut by, so
        nothing of those is looked at.
        """
        rollup = self.rollup
        if rollup.folded < 0:
            return f"tier = {SMALL} AND epoch = {digits(rollup.epoch)} AND upto <= {digits(rollup.upto)}"
        if rollup.folded == rollup.upto:
            return f"tier = {FOLDED} AND upto <= {digits(rollup.folded)}"
        # Said so because one bound for both takes less to plan; the tier of folded ones is 1.
        bound = f"{digits(rollup.upto)} - tier * {digits(rollup.upto - rollup.folded)}"
        return f"(tier = {FOLDED} OR epoch = {digits(rollup.epoch)}) AND upto <= {bound}"

    def _cells(self) -> str:
        """Cells as one of several parts."""
        chosen = [*self.cell_keys, *(f"{self._signed(name, name)} AS c_{name}" for name in self.needed)]
        return f"SELECT {', '.join(chosen)} FROM {TABLE} {self._where()}"  # noqa: S608

    def _stretch(self, stretch: Stretch) -> str:
        edges = ((stretch.start_s, ">="), (stretch.end_s, "<"))
        bounds = "".join(f" AND start {sign} {digits(at)}" for at, sign in edges if at is not None)
        if self.is_mended or not self.rollup.is_corrected:
            return f"(level = {stretch.level}{bounds})"
        dirty = f"(subject, customer_id, start) IN {self._corrected_cells()}"
        if stretch.level == OWNED_HOURS:
            return f"(level = {OWNED_HOURS}{bounds} AND NOT {dirty})"
        # An hour in which something was corrected is put together from the hours of its owners.
        hours = f"SELECT {start_of(HOUR_S, 'removed_time')} FROM corrections WHERE {self._counted()}"  # noqa: S608
        return (
            f"(level = {HOURS}{bounds} AND start NOT IN ({hours})) "
            f"OR (level = {OWNED_HOURS}{bounds} AND start IN ({hours}) AND NOT {dirty})"
        )

    def _counted(self) -> str:
        organisation = self.draft.parameters.uuid(self.meter.organisation_id)
        conditions = [f"organisation_id = {organisation}", f"version <= {VERSION_PARAMETER}"]
        event_type = filters.required_type(self.meter.filter)
        if event_type is not None:
            conditions.append(f"removed_type = {self.draft.parameters.text(event_type)}")
        return " AND ".join(conditions)

    def _corrected_cells(self) -> str:
        cell = f"removed_subject, removed_customer_id, {start_of(HOUR_S, 'removed_time')}"
        return f"(SELECT {cell} FROM corrections WHERE {self._counted()})"  # noqa: S608

    def _is_corrected(self) -> str:
        """The first half restates the second for the table's order."""
        subjects = f"SELECT removed_subject FROM corrections WHERE {self._counted()}"  # noqa: S608
        cell = f"({columns.SUBJECT}, {columns.CUSTOMER}, {start_of(HOUR_S)})"
        return f"{columns.SUBJECT} IN ({subjects}) AND {cell} IN {self._corrected_cells()}"


def are_widened(rows: Iterable[Mapping[str, object]]) -> bool:
    """Whether some cells hold wide values that were only counted."""
    return any(isinstance(wide := row.get("wide"), int) and wide > 0 for row in rows)


def stands(meter: Meter, row: Mapping[str, object]) -> bool:
    """Whether an answer row rests on anything; a count of all events does in any case."""
    if meter.aggregation is Aggregation.COUNT:
        return row["n"] != 0 or not any(name.startswith("k_") for name in row)
    return meter.aggregation not in NUMERIC or row["n"] != 0


def _has_minutes(meter: Meter, rollup: Rollup, *, has_windows: bool = True) -> bool:
    """Whether cells of minutes can be read: corrected cells are put together from hours of their owners."""
    return not rollup.is_corrected or (has_windows and meter.aggregation in MENDED)


def meter_question(meter: Meter, query: MeterQuery, rollup: Rollup) -> Question | None:
    """What `compile.compile_meter_query` asks, of a rollup. Raises `Invalid` for the same questions."""
    check_query(meter, query)
    from_us = to_micros(query.from_at) if query.from_at is not None else None
    to_us = to_micros(query.to_at) if query.to_at is not None else None
    from_s = to_second(query.from_at) if query.from_at is not None else None
    to_s = to_second(query.to_at) + 1 if query.to_at is not None else None
    table = zone_table(query.zone)
    by_subject, by_customer, _ = effective_groups(query)
    stretches = plan_stretches(
        step_for(query.window, table.between(from_s, to_s)),
        from_us,
        to_us,
        by_owner=by_subject or by_customer,
        has_minutes=_has_minutes(meter, rollup, has_windows=query.window is not None),
    )
    if not stretches:
        return None
    draft = Draft(meter.organisation_id)
    bind = draft.parameters
    asked = Question(meter, rollup, stretches, from_us, to_us, draft, query.window is not None)
    asked.is_narrow = query.subjects is not None or query.customers is not None
    asked.base = base_conditions(meter, query.from_at, query.to_at, bind)
    asked.selected = [*value_columns(meter, draft), columns.TIME]
    if query.window is not None:
        second = draft.read("t_second", filters.unix_second())
        bucket = bucket_expression(query.window, table, from_s, to_s, bind, second)
        asked.selected.append(f"{bucket} AS k_window")
        of_cell = bucket_expression(query.window, table, from_s, to_s, bind, "start")
        asked.cell_keys.append(f"{of_cell} AS k_window")
        asked.keys.append("k_window")
        if query.subjects is not None and len(query.subjects) == 1:
            asked.constants["k_subject"] = query.subjects[0]
    asked.keys += owner_keys(query, draft, asked.base, asked.selected)
    owners = Draft(meter.organisation_id, bind)
    owner_keys(query, owners, asked.cell_conditions, asked.cell_keys)
    asked.cell_filters += owners.conditions
    asked.keys += group_keys(meter, query, draft, asked.selected)
    _cell_groups(meter, query, asked)
    draft.conditions += match_conditions(meter, draft)
    return asked


def _cell_groups(meter: Meter, query: MeterQuery, asked: Question) -> None:
    places = {name: f"groups[{place}]" for place, name in enumerate(group_names(meter), 1)}
    wanted = effective_groups(query)[2]
    asked.cell_keys += [f"{places[name]} AS k_group{index}" for index, name in enumerate(wanted)]
    for name, condition in query.group_filters.items():
        asked.cell_conditions.append(
            filters.string_condition(places[name], condition, asked.draft.parameters)
        )


def quantity_question(meter: Meter, query: QuantityQuery, rollup: Rollup) -> Question | None:
    """What `quantities.compile_quantities` asks, of a rollup. Raises `Invalid` for the same questions."""
    plan = plan_quantities(query)
    if query.metadata:
        return None
    table, window = zone_table(query.zone), Window(query.interval)
    from_us, to_us = to_micros(plan.from_at), to_micros(plan.to_at)
    from_s, to_s = to_second(plan.from_at), to_second(plan.to_at)
    stretches = plan_stretches(
        step_for(window, table.between(from_s, to_s)),
        from_us,
        to_us,
        by_owner=query.customer_function is not None or query.identities is not None,
        has_minutes=_has_minutes(meter, rollup),
    )
    if not stretches:
        return None
    draft = Draft(meter.organisation_id)
    bind = draft.parameters
    asked = Question(meter, rollup, stretches, from_us, to_us, draft)
    asked.is_narrow = query.identities is not None
    asked.base = base_conditions(meter, plan.from_at, plan.to_at, bind)
    asked.selected = [*value_columns(meter, draft), columns.TIME]
    second = draft.read("t_second", filters.unix_second())
    bucket = bucket_expression(window, table, from_s, to_s, bind, second)
    asked.selected.append(f"{bucket} AS k_window")
    of_cell = bucket_expression(window, table, from_s, to_s, bind, "start")
    asked.cell_keys.append(f"{of_cell} AS k_window")
    asked.keys.append("k_window")
    listed = f"has({bind.integers(plan.keys)}, k_window)"
    draft.conditions.append(listed)
    asked.cell_filters.append(listed)
    if query.customer_function is not None:
        asked.selected.append(CUSTOMER_KEY)
        asked.cell_keys.append(CUSTOMER_KEY)
        asked.keys.append("k_customer")
    if query.identities is not None:
        owned = filters.identity_condition(query.identities, bind)
        asked.base.append(owned)
        asked.cell_conditions.append(owned)
    draft.conditions += match_conditions(meter, draft)
    grouping = f" GROUP BY {', '.join(asked.keys)}"
    if meter.aggregation is Aggregation.UNIQUE:
        grouping = f" GROUP BY GROUPING SETS (({', '.join(asked.keys)}), ())"
        asked.more.append("grouping(k_window) AS is_total")
    if meter.aggregation in NUMERIC:
        grouping += " HAVING n > 0"
    asked.tail = f"{grouping} LIMIT {CUSTOMER_RESULTS_MAX + 1}"
    return asked
