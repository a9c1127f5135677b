"""Whatever a client sends to the metering interfaces, the answer is no 5xx and fits the contract.

All operations that are served are tried, new ones from the day they are. A run by itself can be made longer:
`METERHOUSE_FUZZ=500` tries each operation that often.
"""

from __future__ import annotations

import json
import os
from urllib.parse import quote_from_bytes

import httpx
import pytest
from tests.server import ServerProcess
from tests.wire.fuzz import Fuzzer, Pool, Request
from tests.wire.recorder import check_answer

from meterhouse.apis import openmeter, polar

EACH = int(os.environ.get("METERHOUSE_FUZZ", "2"))
ROUNDS = 2
FACADES = {"openmeter": openmeter.facade, "polar": polar.facade}
SHOWN = 2_000


@pytest.fixture(scope="module")
def odd_pools() -> dict[str, Pool]:
    return {name: Pool() for name in FACADES}


@pytest.fixture(scope="module")
def direct(server: ServerProcess) -> httpx.Client:
    """Past the recorder: nothing that is sent here proves that an operation works."""
    headers = {"authorization": f"Bearer {server.api_key}"}
    return httpx.Client(base_url=server.base_url, headers=headers, timeout=60)


@pytest.mark.parametrize("round", range(ROUNDS))
@pytest.mark.parametrize("name", FACADES)
def test_no_request_breaks_anything(
    name: str, round: int, direct: httpx.Client, odd_pools: dict[str, Pool]
) -> None:
    """In the second round there are identifiers from the first."""
    facade = FACADES[name]
    facade.load()
    contract, pool = facade.contract, odd_pools[name]
    for operation_id in contract.operations:
        if operation_id not in facade.served:
            continue
        operation = contract.operations[operation_id]
        item = contract.document["paths"][operation.path]
        fuzzer = Fuzzer(contract.document, f"{operation_id} {round}", pool)
        for _ in range(EACH):
            request = fuzzer.request(operation, item[operation.method.lower()], item.get("parameters", ()))
            answer = send(direct, request)
            shown = f"{operation_id}: {request!r}"[:SHOWN]
            assert answer.status_code < 500, f"{answer.status_code} {answer.text}\n{shown}"
            # a text in the path may lead to another operation, whose answer has another shape
            if answer.is_error or answer.request.url.raw_path.count(b"%2F"):
                continue
            departures = check_answer(operation, answer.status_code, answer.headers, answer.content)
            assert not departures, f"{departures}\n{shown}"
            if answer.headers.get("content-type", "").startswith("application/json"):
                pool.learn(operation, json.loads(answer.content))


def send(client: httpx.Client, request: Request) -> httpx.Response:
    query = "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in request.query)
    headers = {"content-type": request.content_type} if request.content_type else {}
    return client.request(
        request.method, f"{request.path}?{query[:60_000]}", content=request.body, headers=headers
    )


def _quoted(text: str) -> str:
    return quote_from_bytes(text.encode("utf-8", "surrogatepass"), safe="")
