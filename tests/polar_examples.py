"""The worked examples of the Polar reference (section 12) as data, for the evaluator and for the engine."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from meterhouse.usage.model import Aggregation, Clause, Event, Filter, Identities, Meter, QuantityQuery
from tests.usage_factory import event, polar

D = datetime(2026, 3, 2, tzinfo=UTC)
NOON = D + timedelta(hours=12)
DAY_QUERY = QuantityQuery(D, D + timedelta(hours=23, minutes=59, seconds=59), "day")
FUNCTIONS = {
    "count": Aggregation.COUNT,
    "sum": Aggregation.SUM,
    "max": Aggregation.MAX,
    "min": Aggregation.MIN,
    "avg": Aggregation.AVG,
    "unique": Aggregation.UNIQUE,
}


@dataclass(frozen=True)
class Example:
    """Events, a meter, a question, and the quantities and total that must come out."""

    id: str
    events: list[Event]
    meter: Meter
    query: QuantityQuery
    quantities: list[float]
    total: float
    listed: list[str] | None = None


EXAMPLES: list[Example] = []


def add(
    id: str,
    events: list[Event],
    meter: Meter,
    quantities: list[float] | float,
    total: float | None = None,
    query: QuantityQuery = DAY_QUERY,
    listed: list[str] | None = None,
) -> None:
    amounts = quantities if isinstance(quantities, list) else [quantities]
    whole = total if total is not None else amounts[0]
    EXAMPLES.append(Example(f"{id}-{len(EXAMPLES)}", events, meter, query, amounts, whole, listed))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def noon(*datas: Any, **rest: Any) -> list[Event]:
    return [event(data, time=NOON, **rest) for data in datas]


def day(offset: int, *datas: Any, **rest: Any) -> list[Event]:
    return [event(data, time=NOON + timedelta(days=offset), **rest) for data in datas]


def each(
    id: str, events: list[Event], prop: str, expected: dict[str, Any], *clauses: Any, **rest: Any
) -> None:
    for function, amount in expected.items():
        aggregation = FUNCTIONS[function]
        path = None if function == "count" else prop
        quantities, total = amount if isinstance(amount, tuple) else (amount, None)
        add(f"{id}-{function}", events, polar(aggregation, path, *clauses), quantities, total, **rest)


def count(id: str, events: list[Event], amount: Any, *clauses: Any, **rest: Any) -> None:
    quantities, total = amount if isinstance(amount, tuple) else (amount, None)
    add(id, events, polar(Aggregation.COUNT, None, *clauses), quantities, total, **rest)


def times(*texts: str, **rest: Any) -> list[Event]:
    return [event({}, time=at(text), **rest) for text in texts]


def days(start: datetime, end: datetime, interval: Any = "day", zone: str = "UTC") -> dict[str, Any]:
    return {"query": QuantityQuery(start, end, interval, zone)}


def aggregation_examples() -> None:
    models = [("lite", 20), ("lite", 10), ("lite", 10), ("lite", 0), ("pro", 100)]
    events = noon(*({"model": m, "tokens": t} for m, t in models))
    lite = Clause("model", "eq", "lite")
    each("E1", events, "tokens", {"count": 4, "sum": 40, "max": 20, "min": 0, "avg": 10, "unique": 3}, lite)
    two_days = day(0, {"v": 10, "u": "a"}, {"v": 20, "u": "b"}) + day(
        2, {"v": 15, "u": "b"}, {"v": 5, "u": "c"}
    )
    span = days(D, D + timedelta(days=2))
    wanted: dict[str, Any] = {
        "count": ([2, 0, 2], 4),
        "sum": ([30, 0, 20], 50),
        "max": ([20, 0, 15], 20),
        "min": ([10, 0, 5], 5),
        "avg": ([15, 0, 10], 12.5),
    }
    each("E2", two_days, "v", wanted, **span)
    each("E2", two_days, "u", {"unique": ([2, 0, 2], 3)}, **span)
    outside = day(-1, {"v": 100, "u": "z"}) + day(3, {"v": 1, "u": "y"})
    each("E30", two_days + outside, "v", wanted, **span)
    each("E30", two_days + outside, "u", {"unique": ([2, 0, 2], 3)}, **span)
    weighed = day(0, {"v": 10}, {"v": 10}, {"v": 10}) + day(2, {"v": 50})
    each("E3", weighed, "v", {"avg": ([10, 0, 50], 20)}, **span)
    users = day(0, *({"u": u} for u in "abc")) + day(2, *({"u": u} for u in "bcd"))
    each("E4", users, "u", {"unique": ([3, 0, 3], 4)}, **span)
    mixed = noon(*({"k": k} for k in ("1", 1.5, 2, True, "x")), {})
    each("E5", mixed, "k", {"count": 6, "sum": 3.5, "max": 2, "avg": 1.75, "unique": 5})
    alike = noon('{"k":"1"}', '{"k":1}', '{"k":1.0}', '{"k":true}', '{"k":"true"}', '{"k":false}', "{}")
    each("E6", alike, "k", {"unique": 5})
    tokens = noon(*({"tokens": t} for t in (10, 20, 30, 30)))
    each("E7", tokens, "tokens", {"count": 4, "sum": 90, "max": 30, "min": 10, "avg": 22.5, "unique": 3})
    each("E8", noon({"v": -5}, {"v": 2}), "v", {"sum": -3})
    next_day = days(D, D + timedelta(days=1))
    each("E8", noon({"v": -5}), "v", {"max": ([-5, 0], -5)}, **next_day)
    each("E8", noon({"v": 7}), "v", {"min": ([7, 0], 7)}, **next_day)
    named = noon({"name": 5}, {"name": 7})
    each("E9", named, "name", {"sum": 0, "unique": 2})
    each("E9", named, "metadata.name", {"sum": 0})
    count("E9", named, 2, Clause("metadata.name", "eq", "ai"))
    structured = noon(
        {"_llm": {"total_tokens": 100, "model": "gpt-4"}, "_cost": {"amount": 0.25, "currency": "usd"}},
        {"_llm": {"total_tokens": 200, "model": "gpt-3.5"}, "_cost": {"amount": 0.5, "currency": "usd"}},
        {"_llm.total_tokens": 7},
    )
    each("E10", structured, "_llm.total_tokens", {"sum": 300})
    gpt4 = Clause("metadata._llm.model", "eq", "gpt-4")
    each("E10", structured, "_llm.total_tokens", {"sum": 100}, gpt4)
    each("E10", structured, "_cost.amount", {"sum": 0.75})


def filter_examples() -> None:
    models = noon({}, *({"model": m} for m in ("a", "b", 7, True)))
    for operator, value, amount in (
        ("ne", "a", 1),
        ("eq", "a", 1),
        ("not_like", "a", 3),
        ("like", "a", 1),
        ("ne", 7, 2),
        ("ne", True, 3),
    ):
        count("E11", models, amount, Clause("model", operator, value))  # type: ignore[arg-type]
    numbers = noon(*({"v": v} for v in (0.01, 1, 10, "10", True)))
    for operator, value, amount in (
        ("gt", 1, 2),
        ("gte", 1, 3),
        ("lt", 10, 2),
        ("eq", 10, 2),
        ("eq", "10", 1),
        ("eq", True, 2),
        ("ne", 1, 3),
    ):
        count("E12", numbers, amount, Clause("v", operator, value))  # type: ignore[arg-type]
    names = [event({}, time=NOON, type=name) for name in ("api_test", "apiXtest", "API_TEST")]
    for operator, value, amount in (
        ("like", "api_test", 1),
        ("not_like", "api_test", 2),
        ("like", "api", 2),
        ("eq", "api_test", 1),
        ("like", "%", 0),
        ("ne", 5, 0),
    ):
        count("E13", names, amount, Clause("name", operator, value))  # type: ignore[arg-type]
    count("E14", noon({"path": "/a%b"}, {"path": "/axxb"}), 1, Clause("path", "like", "a%b"))
    scalars = noon(*({"v": v} for v in (1, "1", "other", True, False, 10)))
    for value, amount in ((1, 3), (True, 2), (False, 1), ("", 6)):
        count("E15", scalars, amount, Clause("v", "like", value))
    nested = [
        event({"model": model, "tokens": tokens}, time=NOON, type=name)
        for name, model, tokens in (("ai", "a", 1), ("ai", "b", 100), ("ai", "b", 99), ("web", "a", 500))
    ]
    either = Filter("or", (Clause("model", "eq", "a"), Clause("tokens", "gte", 100)))
    each("E16", nested, "tokens", {"count": 2, "sum": 101}, Clause("name", "eq", "ai"), either)
    count("E17", nested, 4)
    add("E17", nested, polar(filter=Filter("or")), 4)
    seconds = times("2026-03-02T00:00:10Z", "2026-03-02T00:00:20Z", "2026-03-02T00:00:30Z")
    for operator, amount in (("lt", 1), ("lte", 2), ("eq", 1), ("ne", 2), ("gt", 1)):
        count("E18", seconds, amount, Clause("timestamp", operator, 1772409620))  # type: ignore[arg-type]
    count("E18", seconds, 0, Clause("timestamp", "eq", "1772409620"))
    texts = noon(*({"v": v} for v in ("9", "10", "abc")))
    count("E19", texts, 2, Clause("v", "gt", "10"))
    count("E19", texts, 2, Clause("v", "gt", 10))
    metadata_examples()
    truth_table()


def metadata_examples() -> None:
    datas = ({"model": "lite", "n": 1}, {"model": "lite", "n": "1"}, {"model": "pro", "n": 2})
    events = noon(*datas, {"model": "pro", "b": True})
    for metadata, amount in (
        ({"model": ("lite",)}, 2),
        ({"model": ("lite", "pro")}, 4),
        ({"model": ("lite",), "n": ("1",)}, 2),
        ({"n": ("1",)}, 2),
        ({"b": ("true",)}, 1),
        ({"b": ("True",)}, 0),
    ):
        query = QuantityQuery(DAY_QUERY.start_at, DAY_QUERY.end_at, "day", metadata=metadata)
        count("E20", events, amount, query=query)


TRUTH_COLUMNS: list[tuple[Any, Any]] = [
    ("eq", 5),
    ("eq", "5"),
    ("eq", True),
    ("ne", 5),
    ("ne", "5"),
    ("ne", True),
    ("gt", 5),
    ("gt", "5"),
    ("lte", 5),
    ("lte", "5"),
    ("like", 5),
    ("not_like", 5),
]
TRUTH: list[tuple[str, str]] = [
    ('{"v":5}', "100001001010"),
    ('{"v":5.5}', "000101100010"),
    ('{"v":"5"}', "110001001110"),
    ('{"v":"abc"}', "000111110001"),
    ('{"v":"t"}', "001110110001"),
    ('{"v":1}', "001100001001"),
    ('{"v":0}', "000101001001"),
    ('{"v":true}', "001000000001"),
    ('{"v":false}', "000001000001"),
    ("{}", "000000000000"),
]


def truth_table() -> None:
    for index, (operator, value) in enumerate(TRUTH_COLUMNS):
        matching = sum(int(row[index]) for _, row in TRUTH)
        count("T5.3", noon(*(data for data, _ in TRUTH)), matching, Clause("v", operator, value))
        for data, row in TRUTH:
            count("T5.3", noon(data), int(row[index]), Clause("v", operator, value))


def bucket_examples() -> None:
    bounds = times(
        "2026-03-02T00:00Z", "2026-03-02T09:00Z", "2026-03-04T23:59:59.999999Z", "2026-03-05T00:00Z"
    )
    count("E21", bounds, ([2, 0, 1], 3), **days(D, D + timedelta(days=2)))
    ten = D + timedelta(hours=10)
    count("E21", bounds, ([2, 0], 2), **days(ten, ten + timedelta(days=2, seconds=-1)))
    count("E21", bounds, ([2, 0, 1], 3), **days(ten, ten + timedelta(days=2)))
    hours = times("2026-03-02T10:00Z", "2026-03-02T10:59:59Z", "2026-03-02T11:00Z", "2026-03-02T12:30Z")
    count("E22", hours, ([2, 1, 1], 4), **days(ten, ten + timedelta(hours=2), "hour"))
    half = [(ten + timedelta(minutes=30)).isoformat(), (ten + timedelta(minutes=90)).isoformat()]
    count("E22", hours, ([2, 1], 3), listed=half, **days(at(half[0]), ten + timedelta(hours=2), "hour"))
    sundays = times("2026-03-01T23:59:59Z", "2026-03-02T00:00Z", "2026-03-08T23:00Z", "2026-03-09T00:00Z")
    weeks = ["2026-02-25T00:00Z", "2026-03-04T00:00Z", "2026-03-11T00:00Z"]
    count("E23", sundays, ([1, 2, 1], 4), listed=weeks, **days(at(weeks[0]), at(weeks[2]), "week"))
    mids = times(*(f"2026-0{month}-15T00:00Z" for month in range(1, 7)))
    months = [f"2026-{day}T00:00Z" for day in ("01-31", "02-28", "03-28", "04-28", "05-28")]
    end = at("2026-05-30T00:00Z")
    count("E24", mids, ([1] * 5, 5), listed=months, **days(at(months[0]), end, "month"))
    span = days(at("2026-01-20T00:00Z"), at("2026-04-10T00:00Z"), "month")
    count("E24", mids, ([1, 1, 1], 3), **span)
    years = times("2024-06-01T00:00Z", "2025-02-28T00:00Z", "2026-01-01T00:00Z")
    span = days(at("2024-03-01T00:00Z"), at("2026-03-01T00:00Z"), "year")
    count("E25", years, ([1, 1, 1], 3), **span)
    five = D + timedelta(hours=5)
    count("E26", bounds, ([2], 2), **days(five, five))
    zoned = times("2026-03-02T04:30Z", "2026-03-02T05:00Z", "2026-03-03T04:59:59Z")
    for zone, hour, amounts in (
        ("UTC", 0, [0, 2, 1]),
        ("America/New_York", 5, [1, 2, 0]),
        ("America/New_York", 0, [0, 1, 2]),
    ):
        start = D + timedelta(days=-1, hours=hour)
        count("E27", zoned, (amounts, 3), **days(start, start + timedelta(days=2), "day", zone))
    clock_examples()


def clock_examples() -> None:
    york = "America/New_York"
    forward = times("2026-03-08T04:59:59Z", "2026-03-08T05:00Z", "2026-03-09T03:59:59Z", "2026-03-09T04:00Z")
    listed = ["2026-03-07T05:00Z", "2026-03-08T05:00Z", "2026-03-09T04:00Z", "2026-03-10T04:00Z"]
    span = days(at(listed[0]), at(listed[3]), "day", york)
    count("E28", forward, ([1, 2, 1, 0], 4), listed=listed, **span)
    back = times("2025-11-02T05:30Z", "2025-11-02T06:30Z", "2025-11-02T07:30Z")
    span = days(at("2025-11-02T04:00Z"), at("2025-11-02T08:00Z"), "hour", york)
    count("E29", back, ([0, 1, 1, 1, 0], 3), **span)
    midnight = times("2025-11-03T04:59:59Z", "2025-11-03T05:00Z")
    listed = ["2025-11-01T04:00Z", "2025-11-02T04:00Z", "2025-11-03T05:00Z", "2025-11-04T05:00Z"]
    span = days(at(listed[0]), at(listed[3]), "day", york)
    count("E29", midnight, ([0, 1, 1, 0], 2), listed=listed, **span)


def customer_examples() -> None:
    rows = [("U1", "lite", 20), ("U1", "lite", 10), ("U2", "lite", 10), ("U2", "lite", 0), ("U2", "pro", 100)]
    events = [event({"model": m, "tokens": t}, time=NOON, subject=u) for u, m, t in rows]
    largest = polar(Aggregation.MAX, "tokens", Clause("model", "eq", "lite"))
    one_day = (DAY_QUERY.start_at, DAY_QUERY.end_at)
    for function, amount in (("count", 2), ("sum", 30), ("max", 20), ("min", 10), ("avg", 15), ("unique", 2)):
        query = QuantityQuery(*one_day, "day", customer_function=function)  # type: ignore[arg-type]
        add("E31", events, largest, amount, query=query)
    usage = [(0, "U1", 10), (0, "U2", 30), (2, "U1", 5), (2, "U1", 5), (2, "U2", 20)]
    events = [event({"v": v}, time=NOON + timedelta(days=d), subject=u) for d, u, v in usage]
    for aggregation, function, amounts, total in (
        ("sum", "count", [2, 0, 2], 4),
        ("sum", "sum", [40, 0, 30], 70),
        ("sum", "max", [30, 0, 20], 50),
        ("sum", "min", [10, 0, 10], 20),
        ("sum", "avg", [20, 0, 15], 35),
        ("sum", "unique", [2, 0, 2], 4),
        ("max", "avg", [20, 0, 12.5], 20),
        ("max", "max", [30, 0, 20], 30),
    ):
        query = QuantityQuery(D, D + timedelta(days=2), "day", customer_function=function)  # type: ignore[arg-type]
        add("E32", events, polar(FUNCTIONS[aggregation], "v"), amounts, total, query)
    owned = [
        event({}, time=NOON, subject="", customer_id="U1"),
        *(event({}, time=NOON, subject=subject) for subject in ("ext-1", "ghost", "other")),
    ]
    for identities, amount in (
        (Identities(("U1",), ("ext-1",)), 2),
        (Identities((), ("ghost",)), 1),
        (Identities(("U1",), ("ext-1", "ghost")), 3),
        (Identities(("unknown",), ()), 0),
    ):
        count("E33", owned, amount, query=QuantityQuery(*one_day, "day", identities=identities))


aggregation_examples()
filter_examples()
bucket_examples()
customer_examples()
