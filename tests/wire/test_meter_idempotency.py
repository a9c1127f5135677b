"""`Idempotency-Key` on generation: the same answer, no second strategy, no quota."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from tests.wire.clocked import ASK, Watched


@pytest.fixture
def key() -> str:
    return f"key-{uuid.uuid4()}"


def generate(world: Watched, key: str, path: str = "/phones", name: str = "Once") -> httpx.Response:
    body = {"url": world.site.url(path), "description": ASK, "name": name}
    return world.raw.post("/api/strategies/generate", json=body, headers={"idempotency-key": key})


def test_a_repeat_gets_the_same_answer(world: Watched, key: str) -> None:
    first, again = generate(world, key), generate(world, key)
    assert again.json() == first.json()
    assert (again.status_code, again.headers["idempotent-replayed"]) == (first.status_code, "true")
    assert "idempotent-replayed" not in first.headers
    assert again.headers["x-strategy-quota-used"] == first.headers["x-strategy-quota-used"]
    assert generate(world, f"{key}-other").json()["strategy_id"] != first.json()["strategy_id"]


def test_a_key_belongs_to_one_body(world: Watched, key: str) -> None:
    generate(world, key)
    refused = generate(world, key, name="Other")
    assert (refused.status_code, "different request body" in refused.json()["detail"]) == (422, True)


def test_while_the_first_runs(world: Watched, key: str) -> None:
    world.site.delay_s = 1.0
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda _: generate(world, key), range(3)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
    assert {answer.headers.get("retry-after") for answer in answers} == {None, "5"}


def test_a_failure_may_be_tried_again(world: Watched, key: str) -> None:
    assert generate(world, key, "/late").status_code == 422
    world.site.pages["/late"] = world.site.pages["/phones"]
    assert generate(world, key, "/late").status_code == 200


def test_a_key_is_forgotten_after_a_day(world: Watched, key: str) -> None:
    first = generate(world, key).json()
    world.move(hours=24)
    assert generate(world, key).json()["strategy_id"] != first["strategy_id"]


def test_a_key_has_a_length(world: Watched) -> None:
    assert generate(world, "x" * 256).status_code == 400
