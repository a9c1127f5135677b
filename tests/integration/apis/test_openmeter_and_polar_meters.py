"""Meters made in Polar's words, seen through OpenMeter, on a migrated database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import httpx
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from tests.fakes.http import ORGANISATION_ID, absent_services, client_of, server_of

from meterhouse.apis.openmeter import facade
from meterhouse.kernel.clock import SystemClock
from meterhouse.kernel.ids import new_id, to_ulid
from meterhouse.platform.postgres import PostgresDatabase
from meterhouse.usage.model import Aggregation, Clause, Filter
from meterhouse.usage.service import MeterDraft, create_meter
from meterhouse.usage.tables import meters

LOGINS = Filter("and", (Clause("name", "eq", "login"),))


@pytest.fixture
async def http(database: PostgresDatabase) -> AsyncIterator[httpx.AsyncClient]:
    if not facade.served:
        facade.load()
    services = replace(absent_services(), database=database)
    async with client_of(server_of(facade, services=services)) as opened:
        yield opened


async def polar_meter(
    database: PostgresDatabase, *, organisation_id: UUID = ORGANISATION_ID, **given: Any
) -> UUID:
    draft = MeterDraft(**{"dialect": "polar", "filter": LOGINS, "aggregation": Aggregation.COUNT} | given)
    async with database.begin() as connection:
        made = await create_meter(
            connection, organisation_id=organisation_id, draft=draft, clock=SystemClock()
        )
    return made.id


async def test_the_migration_makes_the_table_that_is_declared(database: PostgresDatabase) -> None:
    def concerns_meters(item: Any, name: str, kind: str, *_: object) -> bool:
        return name == "meters" if kind == "table" else item.table.name == "meters"

    async with database.begin() as connection:
        differences = await connection.run_sync(
            lambda sync: compare_metadata(
                MigrationContext.configure(sync, opts={"include_object": concerns_meters}), meters.metadata
            )
        )
    assert differences == []


async def test_a_meter_that_openmeter_can_say(http: httpx.AsyncClient, database: PostgresDatabase) -> None:
    id = await polar_meter(
        database, name="Logins", aggregation=Aggregation.SUM, value_path="size", metadata={"tier": 1}
    )
    for spelling in (to_ulid(id), str(id), id.hex):
        meter = (await http.get(f"/api/v1/meters/{spelling}")).json()
        assert (meter["id"], meter["name"], meter["eventType"]) == (to_ulid(id), "Logins", "login")
        assert (meter["aggregation"], meter["valueProperty"]) == ("SUM", "$.size")
        assert meter["metadata"] == {"tier": "1"}
    assert meter in (await http.get("/api/v1/meters")).json()
    assert (await http.get(f"/api/v1/meters/{meter['slug']}")).json() == meter
    changed = (await http.put(f"/api/v1/meters/{id}", json={"groupBy": {"size": "$.size"}})).json()
    assert (changed["name"], changed["groupBy"]) == (meter["slug"], {"size": "$.size"})
    assert (await http.delete(f"/api/v1/meters/{meter['slug']}")).status_code == 204
    assert (await http.get(f"/api/v1/meters/{id}")).json()["deletedAt"]


@pytest.mark.parametrize(
    "given",
    [
        {"filter": Filter("or", (Clause("name", "eq", "a"), Clause("name", "eq", "b")))},
        {"filter": Filter("and")},
        {"filter": Filter("and", (Clause("name", "eq", "a"), Clause("model", "eq", "x")))},
        {"aggregation": Aggregation.MAX, "value_path": "timestamp"},
    ],
    ids=["or", "empty", "clause", "timestamp"],
)
async def test_a_meter_that_openmeter_cannot_say(
    http: httpx.AsyncClient, database: PostgresDatabase, given: dict[str, Any]
) -> None:
    id = await polar_meter(database, name="Unsayable", **given)
    assert to_ulid(id) not in [meter["id"] for meter in (await http.get("/api/v1/meters")).json()]
    for method, rest in (("GET", ""), ("PUT", ""), ("DELETE", ""), ("GET", "/query"), ("GET", "/subjects")):
        answer = await http.request(
            method, f"/api/v1/meters/{id}{rest}", json={} if method == "PUT" else None
        )
        assert answer.status_code == 404
        assert answer.json()["extensions"]["code"] == "meter_not_found"


async def test_meters_of_another_organisation_are_not_there(
    http: httpx.AsyncClient, database: PostgresDatabase
) -> None:
    id = await polar_meter(database, organisation_id=new_id(), name="Theirs", slug="theirs")
    for path in (str(id), "theirs"):
        for method in ("GET", "PUT", "DELETE"):
            answer = await http.request(
                method, f"/api/v1/meters/{path}", json={} if method == "PUT" else None
            )
            assert answer.status_code == 404
    assert "theirs" not in [meter["slug"] for meter in (await http.get("/api/v1/meters")).json()]


async def test_a_database_that_is_away_is_not_the_callers_fault() -> None:
    if not facade.served:
        facade.load()
    async with client_of(server_of(facade)) as http:
        answer = await http.get("/api/v1/meters")
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
