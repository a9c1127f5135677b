"""The exact SQL of each query shape, and no user text inside it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tests.usage_factory import openmeter, polar

from meterhouse.usage.engine.compile import compile_meter_query
from meterhouse.usage.engine.consumption import Consumer, compile_consumption
from meterhouse.usage.engine.quantities import compile_quantities
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
        "WHERE organisation_id = {p0:UUID} AND type = {p1:String}) "
        "WHERE (type = {p1:String})) SETTINGS precise_float_parsing = 1"
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
        f"intDiv(({SECOND} + {{p4:Int64}}) - positiveModulo(({SECOND} + {{p4:Int64}}), 86400), 86400) "
        "AS k_window, subject AS k_subject FROM (SELECT *, "
        "JSONExtractRaw(data, {p6:String}, {p7:String}) AS r0 FROM events "
        "WHERE organisation_id = {p0:UUID} AND type = {p1:String} "
        "AND time >= fromUnixTimestamp64Micro({p2:Int64}, 'UTC') "
        "AND time < fromUnixTimestamp64Micro({p3:Int64}, 'UTC') "
        "AND subject IN {p5:Array(String)}) WHERE (type = {p1:String})) "
        "GROUP BY k_window, k_subject SETTINGS precise_float_parsing = 1"
    )
    assert compiled.parameters["p4"] == 0
    assert compiled.parameters["p5"] == ["it's"]
    assert (compiled.parameters["p6"], compiled.parameters["p7"]) == ("a b", "c")


def test_a_change_of_the_clock_is_bound_as_a_table():
    query = MeterQuery(from_at=T, to_at=END, window=Window.HOUR, zone="Europe/Berlin")
    compiled = compile_meter_query(openmeter(Aggregation.COUNT), query)
    assert f"transform(roundDown({SECOND}, {{p4:Array(Int64)}}), {{p4:Array(Int64)}}, " in compiled.sql
    assert compiled.parameters["p4"][1:] == [1774746000]  # 2026-03-29T01:00Z
    assert compiled.parameters["p5"] == [3600, 7200]


def test_what_customers_consumed_since_their_resets():
    meter = polar(Aggregation.SUM, "tokens", Clause("name", "eq", "ai"))
    compiled = compile_consumption(meter, [Consumer("c1", ("s1", "s2"), T), Consumer("c2", ("s3",))])
    assert compiled.sql.endswith(
        "AS k_owner, ingested_at FROM (SELECT *, JSONExtractRaw(data, {p9:String}) AS r0 FROM events "
        "WHERE organisation_id = {p0:UUID} AND type = {p1:String} AND toString(origin) = 'user' "
        "AND (subject IN {p4:Array(String)} AND ((subject = '' AND customer_id != '' "
        "AND has({p2:Array(String)}, customer_id)) OR (customer_id = '' "
        "AND has({p3:Array(String)}, subject))))) WHERE k_owner >= 0 "
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
    consumption = compile_consumption(meter, [Consumer(HOSTILE, (HOSTILE,), T)])
    assert "drop" not in consumption.sql.lower()
