"""A walk over every operation of the three contracts, generated from them."""

from __future__ import annotations

import re

import httpx
import pytest

from meterhouse.apis import meter, openmeter, polar
from meterhouse.apis.contract import Operation
from meterhouse.apis.facade import Facade

for _facade in (meter.facade, openmeter.facade, polar.facade):
    _facade.load()
WALK = [
    (facade, operation)
    for facade in (meter.facade, openmeter.facade, polar.facade)
    for operation in facade.contract.operations.values()
]
_ID = "0190163d-8694-7de3-8f3a-2c9e3f1f6a01"


def address(operation: Operation) -> str:
    return re.sub(r"\{[^}]*\}", _ID, operation.path)


def assert_refusal(facade: Facade, answer: httpx.Response, status: int) -> None:
    """A refusal has the facade's shape: what its published clients look at is there."""
    assert answer.status_code == status, answer.text
    assert answer.headers["x-request-id"]
    body = answer.json()
    if facade.name == "openmeter":
        assert answer.headers["content-type"] == "application/problem+json"
        assert (body["type"], body["status"]) == ("about:blank", status)
        assert body["detail"]
        assert body["instance"] == f"urn:request:{answer.headers['x-request-id']}"
    elif facade.name == "polar":
        assert answer.headers["content-type"] == "application/json"
        assert isinstance(body["error"], str)
        assert isinstance(body.get("detail", body.get("error_description")), str)
    else:
        assert answer.headers["content-type"] == "application/json"
        assert isinstance(body["detail"], str)
        assert body["detail"]


def named(walk: list[tuple[Facade, Operation]]) -> list[object]:
    return [pytest.param(facade, operation, id=f"{facade.name}-{operation.id}") for facade, operation in walk]


@pytest.mark.parametrize(("facade", "operation"), named([step for step in WALK if not step[1].is_public]))
def test_without_a_key_every_operation_is_refused(
    facade: Facade, operation: Operation, stranger: httpx.Client
) -> None:
    assert_refusal(facade, stranger.request(operation.method, address(operation)), 401)
    wrong = {"authorization": "Bearer sk_live_nobody"}
    assert_refusal(facade, stranger.request(operation.method, address(operation), headers=wrong), 401)


@pytest.mark.parametrize(
    ("facade", "operation"), named([step for step in WALK if step[1].id not in step[0].served])
)
def test_an_operation_that_is_not_served_says_so(
    facade: Facade, operation: Operation, http: httpx.Client
) -> None:
    answer = http.request(operation.method, address(operation))
    assert_refusal(facade, answer, 501)
    assert operation.id in answer.text
