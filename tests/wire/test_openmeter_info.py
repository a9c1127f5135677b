"""Currencies, progress and today's metrics (openmeter 2.3, 9.2)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from typing import Any

import httpx
import openmeter
import openmeter.aio
import pytest
from corehttp.exceptions import ResourceNotFoundError
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from tests.openmeter_client import Desk, cloud_event, fresh, problem, quoted
from tests.server import ServerProcess
from tests.wire.recorder import Recorder

CLIENT = f"openmeter {version('openmeter')}"


@pytest.fixture
def client(recorder: Recorder, server: ServerProcess) -> Iterator[Any]:
    with openmeter.Client(endpoint=recorder.url_for(CLIENT), token=server.api_key) as opened:
        yield opened


@pytest.fixture
def desk(http: httpx.Client) -> Desk:
    return Desk(http)


def test_currencies(client: Any) -> None:
    listed = {item.code: item for item in client.currencies.list_currencies()}
    assert len(listed) > 150
    assert (listed["USD"].name, listed["USD"].symbol, listed["USD"].subunits) == ("US Dollar", "$", 2)
    assert [listed[code].subunits for code in ("JPY", "KWD", "CLF", "EUR")] == [0, 3, 4, 2]
    assert {"XAU", "XXX", "XTS", "BTC"}.isdisjoint(listed)


def test_progress_of_a_question(client: Any, desk: Desk) -> None:
    meter, asker = desk.meter(), fresh("c")
    with pytest.raises(ResourceNotFoundError):
        client.progress.get_progress(asker)
    desk.send(*(cloud_event(meter, {"value": 1}) for _ in range(20)))
    for ask in (
        lambda: client.meters.query_json(meter, client_id=asker),
        lambda: client.meters.query(meter, {"clientId": asker}),
        lambda: client.events.list(client_id=asker),
        lambda: list(client.events_v2.list(client_id=asker, filter={"type": {"$eq": meter}})),
    ):
        before = desk.now()
        ask()
        told = client.progress.get_progress(asker)
        assert told.success == told.total >= 20
        assert told.failed == 0
        assert told.updated_at >= before


def test_hostile_ids_of_askers(http: httpx.Client, desk: Desk) -> None:
    meter = desk.meter()
    for text in ("'", '"; --', "{x:String}", "é", "x" * 36):
        desk.query(meter, clientId=text)
        assert http.get(f"/api/v1/info/progress/{quoted(text)}").status_code == 200
    problem(http.get("/api/v1/info/progress/nobody"), 404, "progress not found")
    desk.query(meter, clientId="x" * 37, status=400)
    desk.query(meter, clientId="", status=400)


def test_todays_metrics(client: Any, desk: Desk) -> None:
    subject, name = fresh("s") + ' "quoted" \\ \n line', fresh()
    now = desk.now()
    midnight = now.replace(hour=0, minute=0, second=0)
    times = (now, midnight, midnight - timedelta(seconds=1), now + timedelta(days=1))
    desk.send(*(cloud_event(name, subject=subject, time=time.isoformat()) for time in times))
    text = client.debug.metrics()
    assert text.endswith("# EOF\n")
    assert "# HELP openmeter_events Number of ingested events\n" in text
    (family,) = text_string_to_metric_families(text)
    assert (family.name, family.type, family.unit) == ("openmeter_events", "counter", "events")
    counts = {sample.labels["subject"]: sample.value for sample in family.samples}
    assert counts[subject] == 3
    assert len(counts) == len(family.samples)


async def test_the_asynchronous_client(recorder: Recorder, server: ServerProcess, desk: Desk) -> None:
    endpoint, meter, asker = recorder.url_for(f"{CLIENT}, asynchronous"), desk.meter(), fresh("c")
    async with openmeter.aio.Client(endpoint=endpoint, token=server.api_key) as client:
        assert "EUR" in [item.code for item in await client.currencies.list_currencies()]
        await client.meters.query_json(meter, client_id=asker)
        told = await client.progress.get_progress(asker)
        assert (told.success, told.failed) == (told.total, 0)
        assert datetime.now(UTC) - told.updated_at < timedelta(days=1)
        assert (await client.debug.metrics()).endswith("# EOF\n")
