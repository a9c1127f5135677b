"""Events to files and back, over HTTP and by the command."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.openmeter_client import Desk, cloud_event, fresh
from tests.server import ServerProcess
from tests.wire.recorder import Recorder
from typer.testing import CliRunner

from meterhouse.cli.main import app
from meterhouse.kernel.errors import DependencyFailed, Invalid, NotFound, Unauthenticated

FORMATS = ("csv", "jsonl", "parquet")


@pytest.fixture
def desk(http: httpx.Client) -> Desk:
    return Desk(http)


@pytest.fixture
def elsewhere(clocked_server: ServerProcess) -> Iterator[httpx.Client]:
    """Another server, which knows none of the events."""
    headers = {"authorization": f"Bearer {clocked_server.api_key}"}
    with httpx.Client(base_url=clocked_server.base_url, headers=headers, timeout=60) as client:
        yield client


def by_type(*types: str) -> str:
    return json.dumps({"type": {"$in": list(types)}})


def exported(http: httpx.Client, format: str, *types: str) -> bytes:
    answer = http.get("/api/v1/events/export", params={"format": format, "filter": by_type(*types)})
    assert answer.status_code == 200, answer.text
    return answer.content


def imported(http: httpx.Client, content: Any, format: str) -> dict[str, int]:
    answer = http.post("/api/v1/events/import", params={"format": format}, content=content)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def mixed_events(desk: Desk) -> str:
    """Events of both interfaces under one name: data with oddities, microseconds, parents."""
    name = fresh("f")
    odd = '{ "a":1.0,\n "a" : 12345678901234567890123 , "é":"\\u00e9\\n\\"," }'
    event = cloud_event(name, None, id="odd", subject='s"\n,', time="2026-03-02T01:02:03Z")
    desk.post_events(json.dumps(event)[:-1] + f', "data": {odd}}}', "application/cloudevents+json")
    polar = [
        {
            "name": name,
            "external_customer_id": "",
            "external_id": f"p-{name}",
            "timestamp": "2026-03-02T00:00:00.000001Z",
        },
        {"name": name, "external_customer_id": "u", "parent_id": f"p-{name}", "external_member_id": "m"},
    ]
    assert desk.http.post("/v1/events/ingest", json={"events": polar}).json()["inserted"] == 2
    return name


@pytest.mark.parametrize("format", FORMATS)
def test_a_file_makes_the_very_same_events_elsewhere(
    desk: Desk, elsewhere: httpx.Client, format: str
) -> None:
    name = mixed_events(desk)
    data = exported(desk.http, format, name)
    assert imported(desk.http, data, format) == {"rows": 3, "inserted": 0, "duplicates": 3}
    assert imported(elsewhere, data, format) == {"rows": 3, "inserted": 3, "duplicates": 0}
    assert imported(elsewhere, data, format) == {"rows": 3, "inserted": 0, "duplicates": 3}
    assert exported(elsewhere, format, name) == data
    here, there = (
        client.get("/v1/events/", params={"name": name}).json() for client in (desk.http, elsewhere)
    )
    for item in here["items"] + there["items"]:
        del item["organization_id"]
    assert here == there
    assert sum(item["parent_id"] is not None for item in there["items"]) == 1


def test_an_export_of_many_pages_holds_every_event_once(desk: Desk) -> None:
    names = [fresh("f"), fresh("f")]
    for name in names:
        desk.send(*(cloud_event(name, {"n": n}, id=str(n), subject=f"s{n % 7}") for n in range(2_500)))
    answer = desk.http.get("/api/v1/events/export", params={"filter": by_type(*names)})
    assert answer.headers["x-rows-total"] == "5000"
    assert answer.headers["content-disposition"] == 'attachment; filename="events.jsonl"'
    found = [(event["type"], event["id"]) for event in map(json.loads, answer.text.splitlines())]
    assert len(found) == len(set(found)) == 5_000


def test_events_from_anywhere(desk: Desk) -> None:
    meter = desk.meter()
    table = f'id,source,type,subject,time,data\n1,{meter},{meter},u,2026-03-02T00:00:00Z,"{{""value"":2}}"\n'
    lines = json.dumps({"id": "2", "source": meter, "type": meter, "subject": "u", "data": {"value": 3}})
    for content, media_type in ((table, "text/csv; charset=utf-8"), (lines, "application/x-ndjson")):
        answer = desk.http.post(
            "/api/v1/events/import", content=content, headers={"content-type": media_type}
        )
        assert answer.json() == {"rows": 1, "inserted": 1, "duplicates": 0}
    assert desk.values(meter) == [5]


def test_a_bad_row_says_what_is_stored_before_it(desk: Desk) -> None:
    meter = desk.meter("COUNT")
    good = {"source": meter, "type": meter, "subject": "u"}
    rows = [good | {"id": str(n)} for n in range(6_000)]
    rows[5_500]["time"] = "soon"
    content = "\n".join(map(json.dumps, rows))
    answer = desk.http.post("/api/v1/events/import?format=jsonl", content=content)
    assert answer.status_code == 400
    problem = answer.json()
    assert problem["extensions"]["code"] == "bad_row"
    assert problem["extensions"]["validationErrors"][0]["field"] == "$.line[5501].time"
    assert "line 5501: time is no RFC 3339 instant" in problem["detail"]
    assert "The 5500 rows before are stored (5500 new, 0 known before)." in problem["detail"]
    assert desk.values(meter) == [5_500]
    rows[5_500]["time"] = "2026-03-02T00:00:00Z"
    again = imported(desk.http, "\n".join(map(json.dumps, rows)), "jsonl")
    assert again == {"rows": 6_000, "inserted": 500, "duplicates": 5_500}
    assert desk.values(meter) == [6_000]


def progress(desk: Desk, client_id: str) -> tuple[int, int, int]:
    told = desk.http.get(f"/api/v1/info/progress/{client_id}").json()
    return told["success"], told["failed"], told["total"]


def test_progress_is_told_under_an_id(desk: Desk) -> None:
    name = fresh("f")
    rows = [{"id": str(n), "source": name, "type": name, "subject": "u"} for n in range(7)]
    lines = [json.dumps(row) for row in rows]
    params = {"format": "jsonl", "clientId": name}
    assert desk.http.post("/api/v1/events/import", params=params, content="\n".join(lines)).status_code == 200
    assert progress(desk, name) == (7, 0, 7)
    bad = "\n".join([*lines[:3], "[]"])
    assert desk.http.post("/api/v1/events/import", params=params, content=bad).status_code == 400
    assert progress(desk, name) == (3, 0, 0)  # how many rows a file of lines has shows only at its end
    params = {"filter": by_type(name), "clientId": f"{name}x"}
    assert len(desk.http.get("/api/v1/events/export", params=params).text.splitlines()) == 7
    assert progress(desk, f"{name}x") == (7, 0, 7)


def test_a_large_file_with_a_bad_beginning_is_answered(desk: Desk) -> None:
    """The rest is still on its way when the server knows; the client gets to read why."""
    row = b'{"id":"1","source":"x","type":"t","subject":"u"}\n'
    answer = desk.http.post("/api/v1/events/import?format=jsonl", content=b"[]\n" + row * 400_000)
    assert (answer.status_code, answer.json()["detail"].split(".")[0]) == (
        400,
        "validation error: line 1: Expected `object`, got `array`",
    )


def test_what_is_no_file_of_events_is_refused(desk: Desk) -> None:
    for headers in ({"content-type": "text/html"}, {}):
        answer = desk.http.post("/api/v1/events/import", content=b"x", headers=headers)
        assert answer.status_code == 400
        assert "send text/csv, application/x-ndjson" in answer.json()["detail"]
    assert desk.http.get("/api/v1/events/export", params={"format": "xml"}).status_code == 400
    assert desk.http.get("/api/v1/events/export", params={"filter": "{"}).status_code == 400


class Shell:
    """Runs `meterhouse events` against a server."""

    def __init__(self, url: str, key: str) -> None:
        self._environment = {"METERHOUSE_URL": url, "METERHOUSE_API_KEY": key}

    def __call__(self, *arguments: str) -> str:
        result = CliRunner().invoke(app, ["events", *arguments], env=self._environment)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == 0, result.output
        return result.stderr


@pytest.fixture
def shell(recorder: Recorder, server: ServerProcess) -> Shell:
    return Shell(recorder.url_for("HTTP test"), server.api_key)


@pytest.mark.parametrize("format", FORMATS)
def test_the_command_goes_both_ways(desk: Desk, shell: Shell, tmp_path: Path, format: str) -> None:
    name, file = mixed_events(desk), tmp_path / f"events.{format}"
    assert shell("export", str(file), "--filter", by_type(name)) == f"3 events exported to {file}.\n"
    assert file.read_bytes() == exported(desk.http, format, name)
    assert [path.name for path in tmp_path.iterdir()] == [file.name]
    assert shell("import", str(file)) == f"3 events imported from {file}: 0 new, 3 known before.\n"


def test_the_command_says_what_is_wrong(shell: Shell, server: ServerProcess, tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    with pytest.raises(NotFound, match="cannot be read"):
        shell("import", str(file))
    file.write_text("[]")
    with pytest.raises(Invalid, match="line 1: Expected `object`"):
        shell("import", str(file))
    with pytest.raises(Invalid, match="pass --format"):
        shell("export", str(tmp_path / "events"))
    with pytest.raises(Invalid, match="cannot be written"):
        shell("export", str(tmp_path / "none" / "events.csv"))
    with pytest.raises(Unauthenticated):
        Shell(server.base_url, "sk_live_nobody")("export", str(file))
    with pytest.raises(Invalid, match="An API key is needed"):
        Shell(server.base_url, "")("export", str(file))
    with pytest.raises(DependencyFailed, match="Is it running"):
        Shell("http://127.0.0.1:9", "sk_live_nobody")("export", str(file))
    assert file.read_text() == "[]"
