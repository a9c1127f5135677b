"""The exact SQL of each query shape, and no user text inside it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from tests.usage_factory import openmeter, polar

from meterhouse.usage.engine import rolled
from meterhouse.usage.engine.compile import compile_meter_query
from meterhouse.usage.engine.consumption import Consumer, compile_consumption
from meterhouse.usage.engine.quantities import compile_quantities
from meterhouse.usage.engine.ranges import Usage, compile_has_events, compile_minutes, compile_ranges
from meterhouse.usage.engine.rollups import FOLDED, SMALL, Batch, Rollup, compile_batch, definition_of
from meterhouse.usage.model import (
    Aggregation,
    Clause,
    Filter,
    Identities,
    MeterQuery,
    QuantityQuery,
    StringFilter,
    Window,
)
from meterhouse.usage.rollups import Reach, reach_of

T = datetime(2026, 3, 1, tzinfo=UTC)
END = datetime(2026, 4, 1, tzinfo=UTC)
SECOND = (
    "intDiv(toUnixTimestamp64Micro(time) - positiveModulo(toUnixTimestamp64Micro(time), 1000000), 1000000)"
)


def test_count_of_everything():
    compiled = compile_meter_query(openmeter(Aggregation.COUNT), MeterQuery())
    assert compiled.sql == (
        "SELECT count() AS n, toUnixTimestamp64Micro(min(time)) AS first_at, "
        "toUnixTimestamp64Micro(max(time)) AS last_at FROM (SELECT time FROM (SELECT * FROM events "
        "WHERE organisation_id = {p0:UUID} AND type = {p1:String})) SETTINGS precise_float_parsing = 1"
    )
    assert list(compiled.parameters.values()) == ["01900000-0000-7000-8000-000000000001", "ai"]
    assert compiled.columns == ("n", "first_at", "last_at")


def test_unique_by_day_and_subject():
    meter = openmeter(Aggregation.UNIQUE, '$["a b"].c')
    query = MeterQuery(from_at=T, to_at=END, window=Window.DAY, subjects=("it's",))
    compiled = compile_meter_query(meter, query)
    assert compiled.sql == (
        "SELECT k_window, k_subject, uniqExactIf(v_key, v_ok) AS n FROM (SELECT "
        "if(startsWith(r0, '\"'), JSONExtractString(r0), if(r0 = 'null', '', r0)) AS v_key, "
        "r0 != 'null' AS v_ok, "
        "intDiv((t_second + 3456000000000), 86400) - 40000000 "
        f"AS k_window, subject AS k_subject FROM (SELECT *, {SECOND} AS t_second FROM (SELECT *, "
        "JSONExtractRaw(data, {p5:String}, {p6:String}) AS r0 FROM events "
        "WHERE organisation_id = {p0:UUID} AND type = {p1:String} "
        "AND time >= fromUnixTimestamp64Micro({p2:Int64}, 'UTC') "
        "AND time < fromUnixTimestamp64Micro({p3:Int64}, 'UTC') "
        "AND subject IN {p4:Array(String)}))) "
        "GROUP BY k_window, k_subject SETTINGS precise_float_parsing = 1"
    )
    assert compiled.parameters["p4"] == ["it's"]
    assert (compiled.parameters["p5"], compiled.parameters["p6"]) == ("a b", "c")


def test_a_rollup_that_reaches_all_is_read_alone():
    query = MeterQuery(from_at=T, to_at=END, window=Window.DAY, subjects=("it's",), group_by=("model",))
    meter = openmeter(group_by={"model": "$.model", "a": "$.a"})
    question = rolled.meter_question(meter, query, Rollup(7, -1, 3, 99, reaches_all=True, is_corrected=False))
    assert question is not None
    compiled = question.compile()
    assert compiled.sql == (
        "SELECT intDiv((start + 3456000000000), 86400) - 40000000 "
        "AS k_window, groups[2] AS k_group0, "
        "sum(rollups.n) AS n, sum(rollups.total) AS total, "
        "sum(length(rollups.wide)) AS wide FROM rollups PREWHERE definition = toUInt128('7') "
        "AND ((level = 1 AND start >= 1772323200 AND start < 1775001600)) "
        "AND subject IN {p4:Array(String)} WHERE tier = 0 AND epoch = 3 AND upto <= 99 "
        "GROUP BY k_window, k_group0 "
        "SETTINGS precise_float_parsing = 1, compile_expressions = 0, max_threads = 1"
    )
    assert compiled.parameters == {"p4": ["it's"]}
    assert compiled.constants == {"k_subject": "it's"}
    widened = rolled.meter_question(
        meter, query, Rollup(7, -1, 3, 99, reaches_all=True, is_corrected=False, has_wide=True)
    )
    assert widened is not None
    assert "sumMap(rollups.wide) AS wide" in widened.compile().sql


def test_a_rollup_that_lags_is_joined_by_what_is_newer():
    query = MeterQuery(from_at=T, to_at=END.replace(second=7), window=Window.DAY)
    meter = openmeter(Aggregation.COUNT)
    question = rolled.meter_question(
        meter, query, Rollup(7, 50, 3, 99, reaches_all=False, is_corrected=False)
    )
    assert question is not None
    compiled = question.compile()
    assert compiled.sql.count(" UNION ALL ") == 1
    assert "AND (seq > 99 OR toUnixTimestamp64Micro(time) >= 1775001600000000)" in compiled.sql
    assert " WHERE (tier = 1 OR epoch = 3) AND upto <= 99 - tier * 49" in compiled.sql


def test_a_batch_of_a_rollup_is_one_insert_with_its_mark():
    sql = compile_batch(openmeter(group_by={"model": "$.model"}), Batch(7, SMALL, 3, 100, 199)).sql
    assert sql.startswith(
        "INSERT INTO rollups "
        "(definition, tier, epoch, since, upto, level, subject, customer_id, start, groups, n"
    )
    assert sql.count("INSERT") == 1
    assert "GROUP BY GROUPING SETS ((k_subject, k_customer, k_hour, k_groups), (k_hour, k_groups), " in sql
    assert "seq >= 100 AND seq <= 199" in sql


def marks(*given: tuple[int, int, int, int]) -> list[Batch]:
    return [Batch(7, *one) for one in given]


def test_batches_reach_as_far_as_their_marks_form_a_chain():
    assert reach_of([]) == Reach()
    small = [(SMALL, 0, 0, 9), (SMALL, 0, 10, 19)]
    assert reach_of(marks(*small)) == Reach(-1, 19, 0, 2)
    folded = (FOLDED, 0, 0, 19)
    assert reach_of(marks(folded, *small)) == Reach(19, 19, 1, 0, leftovers=True)
    assert reach_of(marks(folded, *small, (SMALL, 1, 20, 29))) == Reach(19, 29, 1, 1, leftovers=True)
    assert reach_of(marks(folded, (FOLDED, 0, 20, 99))) == Reach(99, 99, 0, 0)
    assert reach_of(marks(small[1])) is None
    assert reach_of(marks(folded, (SMALL, 1, 21, 29))) is None
    assert reach_of(marks(folded, folded)) is None
    assert reach_of(marks(small[0], small[0])) is None


def test_a_definition_stands_for_all_that_quantities_depend_on():
    meter = openmeter(group_by={"a": "$.a"})
    others = [
        openmeter(Aggregation.MIN, group_by={"a": "$.a"}),
        openmeter(value="$.other", group_by={"a": "$.a"}),
        openmeter(event_type="other", group_by={"a": "$.a"}),
        openmeter(group_by={"a": "$.b"}),
        openmeter(group_by={"b": "$.a"}),
        openmeter(group_by={"a": "$.a"}, event_from=T),
        openmeter(group_by={"a": "$.a"}, organisation_id=UUID(int=1)),
        polar(Aggregation.SUM, "value"),
    ]
    assert len({definition_of(one) for one in [meter, *others]}) == 1 + len(others)
    assert definition_of(meter) == definition_of(replace(meter, name="Other", id=UUID(int=2), slug="s"))


def test_a_change_of_the_clock_is_bound_as_a_table():
    query = MeterQuery(from_at=T, to_at=END, window=Window.HOUR, zone="Europe/Berlin")
    compiled = compile_meter_query(openmeter(Aggregation.COUNT), query)
    assert f"{SECOND} AS t_second" in compiled.sql
    assert "transform(roundDown(t_second, {p4:Array(Int64)}), {p4:Array(Int64)}, " in compiled.sql
    assert compiled.parameters["p4"][1:] == [1774746000]  # 2026-03-29T01:00Z
    assert compiled.parameters["p5"] == [3600, 7200]


def test_what_customers_consumed_since_their_resets():
    meter = polar(Aggregation.SUM, "tokens", Clause("name", "eq", "ai"))
    (compiled,) = compile_consumption([(meter, [Consumer("c1", ("s1", "s2"), T), Consumer("c2", ("s3",))])])
    assert compiled.sql.startswith("SELECT toInt64(0) AS k_meter, k_owner, countIf(v_ok) AS n, ")
    assert " AS k_owner, ingested_at FROM (SELECT *, " in compiled.sql
    assert compiled.sql.endswith(
        "AS v_number FROM (SELECT *, JSONExtractRaw(data, {p9:String}) AS r0 FROM events "
        "WHERE organisation_id = {p0:UUID} AND type = {p1:String} AND toString(origin) = 'user' "
        "AND (subject IN {p4:Array(String)} AND ((subject = '' AND customer_id != '' "
        "AND has({p2:Array(String)}, customer_id)) OR (customer_id = '' "
        "AND has({p3:Array(String)}, subject)))))) WHERE k_owner >= 0 "
        "AND toUnixTimestamp64Micro(ingested_at) >= "
        "transform(k_owner, {p8:Array(Int64)}, {p7:Array(Int64)}, toInt64(-9223372036854775808)) "
        "AND (type = {p1:String})) GROUP BY k_owner SETTINGS precise_float_parsing = 1"
    )
    owner = (
        "if(customer_id != '', transform(customer_id, {p2:Array(String)}, {p5:Array(Int64)}, toInt64(-1)), "
    )
    assert owner in compiled.sql
    assert compiled.parameters["p3"] == ["s1", "s2", "s3"]


HOSTILE = "x'; DROP TABLE events; -- {p0:String} \\ \" \n"


@pytest.mark.parametrize("aggregation", Aggregation)
@pytest.mark.parametrize("window", [None, *Window])
def test_no_user_text_in_openmeter_sql(aggregation, window):
    path = '$["x\'; DROP TABLE events; --"][0][*]'
    meter = openmeter(aggregation, path, event_type=HOSTILE, group_by={"g": path, "h": "$.drop"})
    query = MeterQuery(
        window=window,
        subjects=(HOSTILE,),
        customers={HOSTILE: (HOSTILE,)},
        group_by=("g", "h"),
        group_filters={"g": StringFilter("ilike", HOSTILE), "h": StringFilter("in", (HOSTILE,))},
    )
    assert "drop" not in compile_meter_query(meter, query).sql.lower()


@pytest.mark.parametrize("aggregation", [a for a in Aggregation if a is not Aggregation.LATEST])
@pytest.mark.parametrize("operator", ["eq", "ne", "gt", "gte", "lt", "lte", "like", "not_like"])
def test_no_user_text_in_polar_sql(aggregation, operator):
    clauses = [Clause(property, operator, HOSTILE) for property in (HOSTILE, "name", "source", "timestamp")]
    meter = polar(aggregation, HOSTILE, Filter("or", tuple(clauses)), Clause(HOSTILE, operator, True))
    query = QuantityQuery(
        T,
        END,
        "day",
        identities=Identities((HOSTILE,), (HOSTILE,)),
        metadata={HOSTILE: (HOSTILE,)},
        customer_function="sum",
    )
    assert "drop" not in compile_quantities(meter, query).sql.lower()
    (consumption,) = compile_consumption([(meter, [Consumer(HOSTILE, (HOSTILE,), T)])])
    assert "drop" not in consumption.sql.lower()


def test_ranges_share_the_slots_between_their_edges():
    middle = datetime(2026, 3, 15, tzinfo=UTC)
    usage = Usage(openmeter(Aggregation.COUNT), Identities(("c1",), ("it's",)), upto=7)
    compiled = compile_ranges(usage, [(T, middle), (middle, END), (T, END)])
    assert compiled.sql == (
        "SELECT k_slot, count() AS n FROM (SELECT roundDown(toUnixTimestamp64Micro(time), {p8:Array(Int64)}) "
        "AS k_slot FROM (SELECT * FROM events WHERE organisation_id = {p0:UUID} AND type = {p1:String} "
        "AND time >= fromUnixTimestamp64Micro({p2:Int64}, 'UTC') "
        "AND time < fromUnixTimestamp64Micro({p3:Int64}, 'UTC') AND (subject IN {p6:Array(String)} "
        "AND ((subject = '' AND customer_id != '' AND has({p4:Array(String)}, customer_id)) "
        "OR (customer_id = '' AND has({p5:Array(String)}, subject)))) "
        "AND (seq <= {p7:Int64} OR seq = 18446744073709551615)) WHERE (type = {p1:String})) "
        "GROUP BY k_slot SETTINGS precise_float_parsing = 1"
    )
    assert compiled.parameters["p5"] == ["it's"]
    assert len(compiled.parameters["p8"]) == 2


def test_unique_values_are_counted_where_they_are_first_seen():
    usage = Usage(openmeter(Aggregation.UNIQUE, "$.a"), Identities(("c1",), ()))
    compiled = compile_ranges(usage, [(T, END)])
    assert compiled.sql.startswith(
        "SELECT k_family, {p2:Int64} AS k_slot, count() AS n FROM (SELECT k_family, min(k_moment) AS first "
    )
    assert compiled.sql.endswith(
        "GROUP BY k_family, v_key) GROUP BY k_family, k_slot SETTINGS precise_float_parsing = 1"
    )


@pytest.mark.parametrize("aggregation", Aggregation)
def test_no_user_text_in_sql_of_ranges(aggregation):
    path = '$["x\'; DROP TABLE events; --"][0][*]'
    meter = openmeter(aggregation, path, event_type=HOSTILE, group_by={"g": path})
    usage = Usage(
        meter, Identities((HOSTILE,), (HOSTILE,)), {"g": StringFilter("eq", HOSTILE)}, upto=1, after=0
    )
    found = [compile_ranges(usage, [(T, END)]), compile_minutes(usage, T), compile_has_events(usage, T)]
    assert not any("DROP" in compiled.sql for compiled in found)
