"""Features with the published `openmeter` client (openmeter 4.1)."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

import httpx
import openmeter
import openmeter.aio
import pytest
from corehttp.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from tests.openmeter_client import HOSTILE, fresh, problem, quoted
from tests.server import ServerProcess
from tests.wire.recorder import Recorder

CLIENT = f"openmeter {version('openmeter')}"


@pytest.fixture
def client(recorder: Recorder, server: ServerProcess) -> Iterator[Any]:
    with openmeter.Client(endpoint=recorder.url_for(CLIENT), token=server.api_key) as opened:
        yield opened


def a_meter(client: Any, aggregation: str = "SUM", **rest: object) -> str:
    name = fresh()
    value = {} if aggregation == "COUNT" else {"valueProperty": "$.value"}
    groups = {"model": "$.model", "kind": "$.kind", "provider": "$.provider"}
    body = {"slug": name, "eventType": name, "aggregation": aggregation, "groupBy": groups}
    client.meters.create(body | value | rest)
    return name


def codes(refused: pytest.ExceptionInfo[HttpResponseError]) -> list[str]:
    """The codes of the faults that an answer lists."""
    answer = refused.value.response.json()
    return [issue["code"] for issue in answer["extensions"].get("validationErrors", [])]


def test_a_feature_lives_is_archived_and_stays_readable(client: Any) -> None:
    meter, key = a_meter(client), fresh("f")
    made = client.features.create(
        {"key": key, "name": "Tokens", "meterSlug": meter, "metadata": {"team": "ai"}}
    )
    assert (made.key, made.name, made.meter_slug, made.metadata) == (key, "Tokens", meter, {"team": "ai"})
    assert len(made.id) == 26
    assert made.archived_at is None
    assert client.features.get(made.id) == client.features.get(key) == made
    client.features.delete(key)
    with pytest.raises(ResourceNotFoundError):
        client.features.get(key)
    with pytest.raises(ResourceNotFoundError):
        client.features.delete(key)
    assert client.features.get(made.id).archived_at is not None
    client.features.delete(made.id)
    again = client.features.create({"key": key, "name": "Tokens again"})
    assert again.id != made.id
    assert client.features.get(key) == again


@pytest.mark.parametrize(
    ("sent", "simple", "advanced"),
    [
        (
            {"meterGroupByFilters": {"model": "gpt-4"}},
            {"model": "gpt-4"},
            {"model": {"$eq": "gpt-4"}},
        ),
        (
            {"advancedMeterGroupByFilters": {"model": {"$eq": "gpt-4"}}},
            {"model": "gpt-4"},
            {"model": {"$eq": "gpt-4"}},
        ),
        (
            {"advancedMeterGroupByFilters": {"model": {"$eq": "gpt-4"}, "kind": {"$in": ["in", "out"]}}},
            {"model": "gpt-4"},
            {"model": {"$eq": "gpt-4"}, "kind": {"$in": ["in", "out"]}},
        ),
        (
            {"advancedMeterGroupByFilters": {"kind": {"$or": [{"$eq": "a"}, {"$like": "b%"}]}}},
            None,
            {"kind": {"$or": [{"$eq": "a"}, {"$like": "b%"}]}},
        ),
        (  # what a read returned may be sent again
            {
                "meterGroupByFilters": {"model": "x"},
                "advancedMeterGroupByFilters": {"model": {"$eq": "x"}, "kind": {"$ne": "y"}},
            },
            {"model": "x"},
            {"model": {"$eq": "x"}, "kind": {"$ne": "y"}},
        ),
    ],
)
def test_filters_are_told_in_both_forms(
    client: Any, sent: dict[str, Any], simple: dict[str, str] | None, advanced: dict[str, Any]
) -> None:
    made = client.features.create({"key": fresh("f"), "name": "F", "meterSlug": a_meter(client)} | sent)
    assert made.get("meterGroupByFilters") == simple
    assert made["advancedMeterGroupByFilters"] == advanced
    assert client.features.get(made.id) == made


@pytest.mark.parametrize(
    "cost",
    [
        {"type": "manual", "amount": "0.0150"},
        {"type": "manual", "amount": "0"},
        {"type": "llm", "provider": "openai", "modelProperty": "model", "tokenType": "input"},
        {"type": "llm", "providerProperty": "provider", "model": "gpt-4", "tokenTypeProperty": "kind"},
    ],
)
def test_unit_costs(client: Any, cost: dict[str, str]) -> None:
    made = client.features.create(
        {"key": fresh("f"), "name": "F", "meterSlug": a_meter(client), "unitCost": cost}
    )
    assert client.features.get(made.key)["unitCost"] == made["unitCost"] == cost


LLM = {"type": "llm", "provider": "openai", "model": "gpt-4", "tokenType": "input"}


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"key": "01hxyz0000abcdefghjkmnpqrs"}, "invalid_key"),
        ({"key": "No Key"}, "pattern"),
        ({"key": "x" * 65}, "maxLength"),
        ({"key": ""}, "minLength"),
        ({"meterGroupByFilters": {"elsewhere": "x"}}, "unknown_group_by"),
        ({"advancedMeterGroupByFilters": {"elsewhere": {"$eq": "x"}}}, "unknown_group_by"),
        ({"advancedMeterGroupByFilters": {"model": {"$eq": "x", "$ne": "y"}}}, "invalid_filter"),
        (
            {
                "meterGroupByFilters": {"model": "x"},
                "advancedMeterGroupByFilters": {"model": {"$eq": "y"}},
            },
            "conflicting_filters",
        ),
        ({"meterSlug": None, "meterGroupByFilters": {"model": "x"}}, "meter_required"),
        ({"unitCost": {"type": "manual", "amount": "-1"}}, "minimum"),
        ({"unitCost": {"type": "manual", "amount": "one"}}, "pattern"),
        ({"unitCost": {"type": "manual", "amount": "9" * 101}}, "maxLength"),
        ({"unitCost": {"type": "gold"}}, "enum"),
        ({"unitCost": LLM | {"providerProperty": "provider"}}, "one_of"),
        ({"unitCost": {"type": "llm", "provider": "openai", "model": "gpt-4"}}, "one_of"),
        (
            {"unitCost": {"type": "llm", "provider": "p", "model": "m", "tokenTypeProperty": "nowhere"}},
            "unknown_group_by",
        ),
        ({"meterSlug": None, "unitCost": LLM}, "meter_required"),
    ],
)
def test_what_is_refused(client: Any, given: dict[str, Any], code: str) -> None:
    body = {"key": fresh("f"), "name": "F", "meterSlug": a_meter(client)} | given
    with pytest.raises(HttpResponseError) as refused:
        client.features.create({name: value for name, value in body.items() if value is not None})
    assert refused.value.status_code == 400
    assert code in codes(refused)


def test_a_fault_of_a_filter_is_told_in_the_form_that_was_sent(client: Any) -> None:
    sent = {"meterGroupByFilters": "x", "advancedMeterGroupByFilters": {"$eq": "x"}}
    for form, wanted in sent.items():
        body = {"key": fresh("f"), "name": "F", "meterSlug": a_meter(client), form: {"nowhere": wanted}}
        with pytest.raises(HttpResponseError) as refused:
            client.features.create(body)
        (issue,) = refused.value.response.json()["extensions"]["validationErrors"]
        assert issue["field"] == f"$.{form}.nowhere"


def test_nonsense_is_told_as_such(http: httpx.Client) -> None:
    for text in HOSTILE:
        for call in (http.get, http.delete):
            assert call(f"/api/v1/features/{quoted(text)}").status_code in (400, 404)
        assert http.get("/api/v1/features", params={"meterSlug": text}).status_code in (200, 400)
        body = {"key": fresh("f"), "name": text, "metadata": {text: text}}
        assert http.post("/api/v1/features", json=body).status_code in (201, 400)
        assert http.post("/api/v1/features", json=body | {"meterSlug": text}).status_code == 400


@pytest.mark.parametrize("aggregation", ["AVG", "MIN"])
def test_only_some_aggregations_can_be_used_up(client: Any, aggregation: str) -> None:
    with pytest.raises(HttpResponseError) as refused:
        client.features.create({"key": fresh("f"), "name": "F", "meterSlug": a_meter(client, aggregation)})
    assert refused.value.status_code == 400
    assert codes(refused) == ["unsupported_aggregation"]


@pytest.mark.parametrize("aggregation", ["COUNT", "UNIQUE_COUNT", "LATEST", "MAX"])
def test_the_others_can(client: Any, aggregation: str) -> None:
    meter = a_meter(client, aggregation)
    made = client.features.create({"key": fresh("f"), "name": "F", "meterSlug": meter})
    assert made.meter_slug == meter


def test_an_unknown_meter_and_an_unknown_feature(client: Any) -> None:
    with pytest.raises(ResourceNotFoundError):
        client.features.get(fresh("f"))
    with pytest.raises(HttpResponseError) as refused:
        client.features.create({"key": fresh("f"), "name": "F", "meterSlug": fresh()})
    assert refused.value.status_code == 404


def test_a_key_in_use_is_refused_naming_its_holder(client: Any) -> None:
    key = fresh("f")
    holder = client.features.create({"key": key, "name": "F"})
    with pytest.raises(HttpResponseError) as refused:
        client.features.create({"key": key, "name": "F"})
    assert refused.value.status_code == 409
    assert refused.value.response.json()["extensions"]["conflictingEntityId"] == holder.id


def test_a_meter_stays_for_as_long_as_a_feature_needs_it(client: Any) -> None:
    meter = a_meter(client)
    filters = {"model": {"$like": "gpt%"}}
    made = client.features.create(
        {"key": fresh("f"), "name": "F", "meterSlug": meter, "advancedMeterGroupByFilters": filters}
    )
    with pytest.raises(ResourceExistsError):
        client.meters.delete(meter)
    with pytest.raises(HttpResponseError) as refused:
        client.meters.update(meter, {"groupBy": {"kind": "$.kind"}})
    assert refused.value.status_code == 409
    assert made.key in refused.value.response.json()["detail"]
    client.meters.update(meter, {"groupBy": {"model": "$.other"}})
    client.features.delete(made.id)
    client.meters.update(meter, {})
    client.meters.delete(meter)


def test_lists(client: Any, http: httpx.Client) -> None:
    meter, other = a_meter(client), a_meter(client)
    keys = sorted(fresh("f") for _ in range(3))
    made = [
        client.features.create({"key": key, "name": f"N{-number}", "meterSlug": meter})
        for number, key in reversed([*enumerate(keys)])
    ]
    elsewhere = client.features.create({"key": fresh("f"), "name": "F", "meterSlug": other})
    client.features.delete(made[0].id)

    def listed(**params: Any) -> list[str]:
        return [feature["key"] for feature in client.features.list(meter_slug=[meter], **params)]

    assert listed() == keys[:2]
    assert listed(include_archived=True) == keys
    assert listed(include_archived=True, order="DESC") == keys[::-1]
    assert listed(include_archived=True, order_by="createdAt") == keys[::-1]
    assert listed(include_archived=True, order_by="id", order="DESC") == keys
    assert listed(include_archived=True, limit=1, offset=1) == keys[1:2]
    assert listed(offset=5) == []
    both = client.features.list(meter_slug=[meter, other])
    assert {feature["key"] for feature in both} == {*keys[:2], elsewhere.key}
    page = http.get("/api/v1/features", params={"meterSlug": meter, "page": 2, "pageSize": 1}).json()
    assert [item["key"] for item in page.pop("items")] == keys[1:2]
    assert page == {"page": 2, "pageSize": 1, "totalCount": 2}
    page = client.features.list(meter_slug=[meter], page_size=10)
    assert (page["page"], page["pageSize"], page["totalCount"]) == (1, 10, 2)
    for params in ({"pageSize": 1001}, {"page": 0}, {"limit": 0}, {"orderBy": "color"}, {"offset": -1}):
        problem(http.get("/api/v1/features", params=params), 400, *params)


async def test_asynchronously(recorder: Recorder, server: ServerProcess) -> None:
    endpoint = recorder.url_for(f"{CLIENT}, asynchronous")
    async with openmeter.aio.Client(endpoint=endpoint, token=server.api_key) as client:
        made = await client.features.create({"key": fresh("f"), "name": "F"})
        assert await client.features.get(made.key) == made
        assert made.key in [feature["key"] for feature in await client.features.list(limit=1000)]
        with pytest.raises(HttpResponseError) as refused:
            await client.features.create({"key": made.key, "name": "F"})
        assert refused.value.status_code == 409
        await client.features.delete(made.id)
        with pytest.raises(ResourceNotFoundError):
            await client.features.get(made.key)
