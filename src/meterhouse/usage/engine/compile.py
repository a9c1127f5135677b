"""Meter and question in, one parameterised query out.

Every query goes through the same levels: `events` cut by organisation, time and type (served by the table's
order), with raw values taken out of the JSON once per path; what these raw values read as; columns made of
that; aggregates per group. A level of its own for whatever is used more than once keeps expressions small,
because the engine repeats an alias wherever it is used. No user text becomes part of the SQL.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from meterhouse.kernel.errors import Invalid, Issue
from meterhouse.usage.engine import columns, filters, values
from meterhouse.usage.engine.jsonpath import Path, parse_dotted, parse_jsonpath, strip_metadata
from meterhouse.usage.engine.parameters import Parameters, digits
from meterhouse.usage.engine.windows import STEP_S, to_second
from meterhouse.usage.engine.zones import ZoneTable, zone_table
from meterhouse.usage.model import Aggregation, Meter, MeterQuery, Window

SETTINGS = "SETTINGS precise_float_parsing = 1"
DAYS_AHEAD = 40_000_000
"""More days than any event lies before 1970: what is divided is then never negative, and cut off alike."""
GRID_SCALE = 38
GRID_BELOW = "1e20"
GRID_FROM = "1e-20"
GRID_TEXT_MAX = 60
"""Which values add up as decimals: sizes from 1e-20 up to 1e20, written in at most 60 characters. They keep
38 decimal places; 18 digits of room are left above them for the number of events. Any other value is read
as the nearest double and added exactly too, as a whole number of units per binary exponent."""

NUMERIC = frozenset({Aggregation.SUM, Aggregation.AVG, Aggregation.MIN, Aggregation.MAX, Aggregation.LATEST})
SPECIAL_GROUPS = ("subject", "customer_id")


@dataclass(frozen=True)
class CompiledQuery:
    """SQL with `{name:Type}` placeholders, their values, and the names of the answer's columns in order.

    `constants` are further columns that are the same in every row, so that the engine need not be asked.
    """

    sql: str
    parameters: dict[str, object]
    columns: tuple[str, ...]
    constants: Mapping[str, object] = field(default_factory=dict)


@dataclass
class Draft:
    """A query under construction. `raw_of` hands out one column per distinct path, `read` one per name."""

    organisation_id: UUID
    parameters: Parameters = field(default_factory=Parameters)
    conditions: list[str] = field(default_factory=list)
    _raws: dict[Path, str] = field(default_factory=dict)
    _reads: dict[str, str] = field(default_factory=dict)

    def read(self, name: str, expression: str) -> str:
        """A column made of an event's own columns and of raw values, for what is used more than once."""
        self._reads[name] = expression
        return name

    def raw_of(self, path: Path) -> str:
        """The column that holds the raw JSON text at a path."""
        return self._raws.setdefault(path, f"r{len(self._raws)}")

    def source(self, base: list[str], table: str = columns.TABLE) -> str:
        """The innermost level; raw values are read only for rows that pass `base`."""
        taken = [f"{values.raw(path, self.parameters)} AS {name}" for path, name in self._raws.items()]
        selected = ", ".join(["*", *taken])
        source = f"SELECT {selected} FROM {table} WHERE {' AND '.join(base)}"  # noqa: S608
        if not self._reads:
            return source
        read = ", ".join(["*", *(f"{expression} AS {name}" for name, expression in self._reads.items())])
        return f"SELECT {read} FROM ({source})"  # noqa: S608

    def finish(self, base: list[str], selected: list[str], keys: str, aggregates: list[str]) -> str:
        """Put the levels together."""
        return f"{self.body(base, selected, aggregates, keys)} {SETTINGS}"

    def body(
        self,
        base: list[str],
        selected: list[str],
        aggregates: list[str],
        keys: str,
        *,
        table: str = columns.TABLE,
    ) -> str:
        """The same without settings, to be part of a larger query."""
        inner = f"{', '.join(selected) or '1 AS one'} FROM ({self.source(base, table)})"
        if self.conditions:
            inner += f" WHERE {' AND '.join(self.conditions)}"
        return f"SELECT {', '.join(aggregates)} FROM (SELECT {inner}){keys}"  # noqa: S608


def base_conditions(
    meter: Meter, from_at: datetime | None, to_at: datetime | None, parameters: Parameters
) -> list[str]:
    """Conditions that the table's order serves: organisation, type and time `[from_at, to_at)`."""
    bound = [f"{columns.ORGANISATION} = {parameters.uuid(meter.organisation_id)}"]
    event_type = filters.required_type(meter.filter)
    if event_type is not None:
        bound.append(f"{columns.TYPE} = {parameters.text(event_type)}")
    starts = [at for at in (from_at, meter.event_from) if at is not None]
    if starts:
        bound.append(f"{columns.TIME} >= {parameters.instant(max(starts))}")
    if to_at is not None:
        bound.append(f"{columns.TIME} < {parameters.instant(to_at)}")
    return bound


def value_path(meter: Meter) -> Path | None:
    """Where the meter's value lies in the data; `None` for `count` and for Polar's event properties.

    `unique` always reads metadata, the numeric functions of Polar read event properties first (polar 6).
    """
    if meter.aggregation is Aggregation.COUNT or meter.value_path is None:
        return None
    if meter.dialect == "openmeter":
        return parse_jsonpath(meter.value_path, field=("valueProperty",))
    own = strip_metadata(meter.value_path) in ("name", "source", "timestamp")
    if own and meter.aggregation is not Aggregation.UNIQUE:
        return None
    return parse_dotted(meter.value_path, field=("aggregation", "property"))


def value_columns(meter: Meter, draft: Draft) -> list[str]:
    """Columns of the middle level that the meter's aggregation reads.

    Raises `Invalid` for a meter without a usable value path.
    """
    if meter.aggregation is Aggregation.COUNT:
        return []
    path = value_path(meter)
    raw = draft.raw_of(path) if path is not None else None
    if meter.aggregation is Aggregation.UNIQUE:
        assert raw is not None
        if meter.dialect == "polar":
            return [f"{values.identity_text(raw)} AS v_key", "v_key != '' AS v_ok"]
        return [f"{values.text(raw)} AS v_key", f"{raw} != 'null' AS v_ok"]
    return [*_number_columns(meter, raw, draft), *_order_columns(meter)]


def _number_columns(meter: Meter, raw: str | None, draft: Draft) -> list[str]:
    if raw is None:  # Polar's event properties: only the timestamp is a number
        is_timestamp = strip_metadata(meter.value_path or "") == "timestamp"
        digits = f"toString({filters.unix_second()})" if is_timestamp else "''"
    elif meter.dialect == "polar":
        digits = values.number_text(raw)
    else:
        digits = values.numeric_text(raw, values.text(raw))
    draft.read("v_digits", digits)
    draft.read("v_number", "ifNull(toFloat64OrNull(v_digits), nan)")
    selected = ["v_number", "isFinite(v_number) AS v_ok"]
    if meter.aggregation in (Aggregation.SUM, Aggregation.AVG):
        on_grid = (
            f"v_ok AND abs(v_number) >= {GRID_FROM} AND abs(v_number) < {GRID_BELOW} "
            f"AND length(v_digits) <= {GRID_TEXT_MAX}"
        )
        selected.append(f"toDecimal256OrNull(if({on_grid}, v_digits, ''), {GRID_SCALE}) AS v_decimal")
        selected.append("v_ok AND v_number != 0 AND isNull(v_decimal) AS v_wide")
        selected.append("reinterpretAsUInt64(v_number) AS v_bits")
    return selected


def _order_columns(meter: Meter) -> list[str]:
    if meter.aggregation is not Aggregation.LATEST:
        return []
    return [f"({columns.TIME}, toString({columns.UID})) AS v_order"]


WIDE_UNITS = "Map(UInt16, Int128)"
_FRACTION = "toInt128(bitAnd(v_bits, 4503599627370495))"
_EXPONENT = "toUInt16(bitAnd(bitShiftRight(v_bits, 52), 2047))"
_UNITS = (
    f"if(v_number < 0, -1, 1) * ({_FRACTION} + if({_EXPONENT} = 0, toInt128(0), toInt128(4503599627370496)))"
)


def match_conditions(meter: Meter, draft: Draft) -> list[str]:
    """The part of a meter's filter that `base_conditions` does not hold already."""
    if meter.event_type is not None or not meter.filter.clauses:
        return []
    return [filters.tree_condition(meter.filter, draft.parameters, draft.raw_of)]


def aggregates(aggregation: Aggregation) -> list[str]:
    """Aggregates of the outer level: `n` counts what the value rests on, the rest is the value itself."""
    match aggregation:
        case Aggregation.COUNT:
            return ["count() AS n"]
        case Aggregation.UNIQUE:
            return ["uniqExactIf(v_key, v_ok) AS n"]
        case Aggregation.SUM | Aggregation.AVG:
            return [
                "countIf(v_ok) AS n",
                f"sum(ifNull(v_decimal, toDecimal256(0, {GRID_SCALE}))) AS total",
                f"sumMapIf(map({_EXPONENT}, {_UNITS}), v_wide) AS wide",
            ]
        case Aggregation.MIN:
            return ["countIf(v_ok) AS n", "minIf(v_number, v_ok) AS number"]
        case Aggregation.MAX:
            return ["countIf(v_ok) AS n", "maxIf(v_number, v_ok) AS number"]
        case Aggregation.LATEST:
            return ["countIf(v_ok) AS n", "argMaxIf(v_number, v_order, v_ok) AS number"]


def bucket_expression(
    window: Window,
    table: ZoneTable,
    from_s: int | None,
    to_s: int | None,
    parameters: Parameters,
    second: str,
) -> str:
    """The bucket key of a Unix second, as `windows.bucket_key` computes it."""
    part = table.between(from_s, to_s)

    def local(ahead_s: int) -> str:
        if len(part.offsets) == 1:
            return f"({second} + {digits(part.offsets[0] + ahead_s)})"
        starts = parameters.integers(part.starts)
        offsets = parameters.integers(part.offsets)
        offset = f"transform(roundDown({second}, {starts}), {starts}, {offsets}, toInt64(0))"
        return f"({second} + {offset} + {digits(ahead_s)})"

    if window in STEP_S:
        return f"{second} - positiveModulo({local(0)}, {STEP_S[window]})"
    day = f"intDiv({local(DAYS_AHEAD * 86400)}, 86400) - {DAYS_AHEAD}"
    shown = f"addDays(toDate32('1970-01-01'), {day})"
    match window:
        case Window.DAY:
            return day
        case Window.WEEK:
            return f"intDiv({day} + 3 - positiveModulo({day} + 3, 7), 7)"
        case Window.MONTH:
            return f"toInt64(toYear({shown})) * 12 + toMonth({shown}) - 1"
        case _:
            return f"toInt64(toYear({shown}))"


def effective_groups(query: MeterQuery) -> tuple[bool, bool, tuple[str, ...]]:
    """Whether to group by subject and by customer, and the meter's keys to group by, in order."""
    by_subject = query.subjects is not None or "subject" in query.group_by
    keys = tuple(dict.fromkeys(key for key in query.group_by if key not in SPECIAL_GROUPS))
    return by_subject, query.customers is not None, keys


def check_query(meter: Meter, query: MeterQuery) -> None:
    """Refuse a question that the meter cannot answer (openmeter 2.2). Raises `Invalid` with all faults."""
    issues = []
    if query.from_at is not None and query.to_at is not None and query.to_at <= query.from_at:
        issues.append(Issue(("to",), "to must be after from", "invalid_range"))
    for key in query.group_by:
        if key not in meter.group_by and key not in SPECIAL_GROUPS:
            issues.append(Issue(("groupBy",), f"invalid group by: {key}", "invalid_group_by", key))
        if key == "customer_id" and query.customers is None:
            text = "group by customer_id requires filterCustomerId"
            issues.append(Issue(("groupBy",), text, "invalid_group_by", key))
    for key in query.group_filters:
        if key not in meter.group_by:
            issues.append(
                Issue(("filterGroupBy", key), f"invalid group by filter: {key}", "invalid_filter", key)
            )
    if issues:
        raise Invalid("; ".join(issue.message for issue in issues), issues=tuple(issues))


def compile_meter_query(meter: Meter, query: MeterQuery) -> CompiledQuery:
    """Compile an OpenMeter-style question. Raises `Invalid` when the meter cannot answer it."""
    check_query(meter, query)
    table = zone_table(query.zone)
    draft = Draft(meter.organisation_id)
    base = base_conditions(meter, query.from_at, query.to_at, draft.parameters)
    selected = value_columns(meter, draft)
    keys = []
    if query.window is not None:
        starts = [at for at in (query.from_at, meter.event_from) if at is not None]
        from_s = to_second(max(starts)) if starts else None
        to_s = to_second(query.to_at) + 1 if query.to_at else None
        second = draft.read("t_second", filters.unix_second())
        bucket = bucket_expression(query.window, table, from_s, to_s, draft.parameters, second)
        selected.append(f"{bucket} AS k_window")
        keys.append("k_window")
    else:
        selected.append(columns.TIME)
    keys += owner_keys(query, draft, base, selected)
    keys += group_keys(meter, query, draft, selected)
    draft.conditions += match_conditions(meter, draft)
    outer = aggregates(meter.aggregation)
    if query.window is None:
        micros = f"toUnixTimestamp64Micro({{}}({columns.TIME}))"
        outer += [f"{micros.format('min')} AS first_at", f"{micros.format('max')} AS last_at"]
    having = " HAVING n > 0" if meter.aggregation in NUMERIC else ""
    grouping = f" GROUP BY {', '.join(keys)}" if keys else ""
    sql = draft.finish(base, selected, grouping + having, [*keys, *outer])
    names = (*keys, *(item.rsplit(" AS ", 1)[1] for item in outer))
    return CompiledQuery(sql, draft.parameters.values, names)


def owner_keys(query: MeterQuery, draft: Draft, base: list[str], selected: list[str]) -> list[str]:
    """Filters and keys of subjects and customers."""
    by_subject, by_customer, _ = effective_groups(query)
    keys, bind = [], draft.parameters
    if query.subjects is not None:
        base.append(f"{columns.SUBJECT} IN {bind.texts(query.subjects)}")
    if by_subject:
        selected.append(f"{columns.SUBJECT} AS k_subject")
        keys.append("k_subject")
    if by_customer:
        assert query.customers is not None
        owners = subject_owners(query.customers)
        listed = bind.texts(query.customers)
        base.append(f"{columns.SUBJECT} IN {bind.texts(dict.fromkeys((*owners, '')))}")
        named = f"if(has({listed}, {columns.CUSTOMER}), {columns.CUSTOMER}, '')"
        owned = "''"
        if owners:
            owned = f"transform({columns.SUBJECT}, {bind.texts(owners)}, {bind.texts(owners.values())}, '')"
        selected.append(f"if({columns.CUSTOMER} != '', {named}, {owned}) AS k_customer")
        draft.conditions.append("k_customer != ''")
        keys.append("k_customer")
    return keys


def subjects_of(query: MeterQuery) -> frozenset[str] | None:
    """The subjects that events of a question can have, or `None` for any.

    An event that names its customer by our id has no subject.
    """
    if query.subjects is not None:
        return frozenset(query.subjects)
    return None if query.customers is None else frozenset((*subject_owners(query.customers), ""))


def subject_owners(customers: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """The customer that each subject belongs to; the first of several customers that list it owns it."""
    owners: dict[str, str] = {}
    for customer_id, subjects in customers.items():
        for subject in subjects:
            owners.setdefault(subject, customer_id)
    return owners


def group_keys(meter: Meter, query: MeterQuery, draft: Draft, selected: list[str]) -> list[str]:
    """Filters and keys of the meter's own group-bys."""
    keys = []
    for index, key in enumerate(effective_groups(query)[2]):
        raw = draft.raw_of(parse_jsonpath(meter.group_by[key], field=("groupBy", key)))
        selected.append(f"{values.text(raw)} AS k_group{index}")
        keys.append(f"k_group{index}")
    for key, wanted in query.group_filters.items():
        raw = draft.raw_of(parse_jsonpath(meter.group_by[key], field=("groupBy", key)))
        draft.conditions.append(filters.string_condition(values.text(raw), wanted, draft.parameters))
    return keys


def compile_subjects(meter: Meter, from_at: datetime | None, to_at: datetime | None) -> CompiledQuery:
    """Distinct subjects of the meter's events, sorted; events without a subject are left out."""
    draft = Draft(meter.organisation_id)
    base = base_conditions(meter, from_at, to_at, draft.parameters)
    draft.conditions += match_conditions(meter, draft)
    draft.conditions.append(f"{columns.SUBJECT} != ''")
    tail = f" GROUP BY {columns.SUBJECT} ORDER BY {columns.SUBJECT}"
    sql = draft.finish(base, [columns.SUBJECT], tail, [columns.SUBJECT])
    return CompiledQuery(sql, draft.parameters.values, (columns.SUBJECT,))


def compile_group_values(
    meter: Meter, key: str, from_at: datetime | None, to_at: datetime | None, *, limit: int
) -> CompiledQuery:
    """Distinct values of one group-by of the meter, sorted; events without one are left out."""
    draft = Draft(meter.organisation_id)
    base = base_conditions(meter, from_at, to_at, draft.parameters)
    raw = draft.raw_of(parse_jsonpath(meter.group_by[key], field=("groupBy", key)))
    draft.conditions += match_conditions(meter, draft)
    draft.conditions.append("k_value != ''")
    tail = f" GROUP BY k_value ORDER BY k_value LIMIT {int(limit)}"
    sql = draft.finish(base, [f"{values.text(raw)} AS k_value"], tail, ["k_value"])
    return CompiledQuery(sql, draft.parameters.values, ("k_value",))
