"""Nothing that a request can hold makes a facade answer 5xx."""

from __future__ import annotations

import re
from typing import Any

import pytest
from pydantic import BaseModel
from starlette.responses import Response
from tests.fakes.http import client_of, server_of
from tests.unit.apis.contracts import meter_facade, openmeter_facade, polar_facade

from meterhouse.apis.call import Call
from meterhouse.apis.facade import Facade


class Anything(BaseModel):
    name: str
    items: list[dict[str, Any]] = []


async def checked(call: Call) -> Response:
    return call.no_content()


async def modelled(call: Call) -> Response:
    call.parse_query(Anything)
    call.parse_body(Anything)
    return call.no_content()


def serve_everything(facade: Facade, handler: Any) -> Facade:
    for operation_id in facade.contract.operations:
        facade.operation(operation_id)(handler)
    return facade


FACADES = [
    serve_everything(meter_facade(), checked),
    serve_everything(openmeter_facade(), checked),
    serve_everything(polar_facade(), modelled),
]
BODIES = [
    b"",
    b"{}",
    b"[]",
    b"null",
    b'"x"',
    b"1e999",
    b"-0",
    b'{"": {"": []}}',
    b'{"type": {"type": []}, "name": 5, "items": [5, {"a": 1e999}], "phases": [[]], "url": {}}',
    b'{"type": ["metered"], "plan": null, "filter": {"clauses": 7}, "op": "add_item"}',
    b'{"name": "\\ud83d", "a": "\\u0000"}',
    b"[" * 100_000,
    b'{"filter":' * 63 + b"1" + b"}" * 63,
    b"\x80",
    b"123456789" * 600,
    b'{"page": 99999999999999999999999999999999}',
]
QUERIES = [
    "page=1e3&limit=-0&offset=%00&from=0000-00-00T00:00:00Z&to=9999-12-31T23:59:60Z",
    "filter=%5B%5B&filterGroupBy=1&filterGroupBy[=2&filterGroupBy[]=3&filterGroupBy[a][b]=4",
    "from=2026-02-30T00:00:00Z&name=%FF%FE&metadata[%00]=1&sorting=",
    "a&&&=&==;%zz%",
]
PATH_VALUES = ["%00", "%FF", "..%2F..", "7", "%F0%9F%98%80", "a%0Ab", "%25s" * 500]


@pytest.mark.parametrize("facade", FACADES, ids=lambda facade: facade.name)
async def test_bodies(facade: Facade) -> None:
    async with client_of(server_of(facade)) as http:
        for operation in facade.contract.operations.values():
            if not operation.request_bodies:
                continue
            path = re.sub(r"\{[^}]*\}", "7", operation.path)
            for body in BODIES:
                answer = await http.request(operation.method, path, content=body)
                assert answer.status_code < 500, (operation.id, body[:80], answer.text)
                assert answer.status_code == 204 or answer.json()


@pytest.mark.parametrize("facade", FACADES, ids=lambda facade: facade.name)
async def test_queries_and_paths(facade: Facade) -> None:
    async with client_of(server_of(facade)) as http:
        for operation in facade.contract.operations.values():
            for query in QUERIES:
                path = re.sub(r"\{[^}]*\}", "7", operation.path)
                answer = await http.request(operation.method, f"{path}?{query}", content=b"{}")
                assert answer.status_code < 500, (operation.id, query, answer.text)
            if "{" in operation.path:
                for value in PATH_VALUES:
                    path = re.sub(r"\{[^}]*\}", value, operation.path)
                    answer = await http.request(operation.method, path, content=b"{}")
                    assert answer.status_code < 500, (operation.id, value, answer.text)


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND", "X" * 5000])
async def test_odd_methods(method: str) -> None:
    async with client_of(server_of(*FACADES)) as http:
        for path in ("/api/jobs", "/api/v1/meters", "/v1/meters/"):
            assert (await http.request(method, path)).status_code == 405
