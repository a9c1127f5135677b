"""A scripted server that speaks the protocol, in the place of a real model."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from tests.pages import SHOP, FakeFetcher, shop_page
from tests.script_site import Answer, Asked, ScriptSite, as_json

from meterhouse.extraction.extractor import Extractor
from meterhouse.extraction.making import Made, make
from meterhouse.extraction.stored import StrategyRequest
from meterhouse.extraction.visit import Sources
from meterhouse.kernel.errors import DependencyFailed
from meterhouse.platform.model import ChatModel
from meterhouse.platform.ports import NoBrowser

PATH = "/v1/chat/completions"


@pytest.fixture
def server() -> Iterator[ScriptSite]:
    opened = ScriptSite()
    yield opened
    opened.close()


@pytest.fixture
async def model(server: ScriptSite) -> AsyncIterator[ChatModel]:
    opened = ChatModel(server.url("/v1"), name="tiny", api_key="key-1", timeout_s=3)
    yield opened
    await opened.aclose()


def reply(content: object) -> Answer:
    return as_json({"choices": [{"message": {"role": "assistant", "content": content}}]})


def choose_prices(asked: Asked) -> Answer:
    """Do what a model does: find the number of the wanted value in the menu."""
    text = asked.json["messages"][1]["content"]
    number = re.search(r'^ +(\d+)[^:\n]*: "\$199.00"', text, re.MULTILINE)
    assert number, text
    return reply(json.dumps({"list": 1, "fields": {"amount": int(number.group(1))}}))


async def generate(model: ChatModel, page: str = "", **changes: Any) -> Made:
    extractor = Extractor()
    fetcher = FakeFetcher({SHOP: page or shop_page(199, 249, 299)})
    request = {"url": SHOP, "description": "what phones cost", "name": "x", **changes}
    try:
        return await make(Sources(fetcher, NoBrowser(), extractor, model), StrategyRequest(**request))
    finally:
        extractor.close()


async def test_the_protocol(model: ChatModel, server: ScriptSite) -> None:
    server.routes[PATH] = lambda _: reply("fine")
    assert await model.complete(instructions="be brief", material="how are you?") == "fine"
    (asked,) = server.asked
    assert asked.headers["authorization"] == "Bearer key-1"
    assert asked.json["model"] == "tiny"
    assert [one["role"] for one in asked.json["messages"]] == ["system", "user"]


async def test_it_names_and_chooses(model: ChatModel, server: ScriptSite) -> None:
    server.routes[PATH] = choose_prices
    made = await generate(model)
    assert [item["amount"] for item in made.generated.items] == ["$199.00", "$249.00", "$299.00"]
    assert made.attempts == 1
    assert made.generated.notes == ()


@pytest.mark.parametrize(
    "answer",
    [
        Answer("no json", "application/json"),
        Answer("", status=500),
        Answer("<html>", status=404),
        as_json({"error": "overloaded"}, status=503),
        as_json({"choices": []}),
        as_json([1]),
        reply(None),
        reply({"list": 1}),
        Answer(b"x" * 1_500_000, "application/json"),
        reply('{"list": 1, "fields": {"amount": "$199.00"}}'),
    ],
)
async def test_a_model_that_talks_nonsense_costs_a_note_and_nothing_else(
    model: ChatModel, server: ScriptSite, answer: Answer
) -> None:
    server.routes[PATH] = lambda _: answer
    made = await generate(model, description="phone titles and prices")
    assert len(made.generated.items) == 3
    assert any("The model was not used" in note for note in made.generated.notes)
    assert made.attempts >= 2


async def test_a_slow_or_absent_model(server: ScriptSite) -> None:
    gone = ChatModel("http://127.0.0.1:9/v1", timeout_s=2)
    with pytest.raises(DependencyFailed, match="cannot be reached"):
        await gone.complete(instructions="", material="")
    await gone.aclose()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(30)

    listening = await asyncio.start_server(silent, "127.0.0.1", 0)
    slow = ChatModel(f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}", timeout_s=0.5)
    with pytest.raises(DependencyFailed, match=r"within 0\.5 s|cannot be reached"):
        await slow.complete(instructions="", material="")
    await slow.aclose()
    listening.close()


async def test_a_schema_gives_the_names(model: ChatModel, server: ScriptSite) -> None:
    def choose(asked: Asked) -> Answer:
        assert 'Use exactly these field names: ["amount"]' in asked.json["messages"][1]["content"]
        return choose_prices(asked)

    server.routes[PATH] = choose
    made = await generate(model, output_schema={"phones": [{"amount": "number"}]})
    assert made.generated.items == [{"phones": [{"amount": 199.0}, {"amount": 249.0}, {"amount": 299.0}]}]


async def test_it_may_choose_a_list_that_only_the_data_of_the_page_holds(
    model: ChatModel, server: ScriptSite
) -> None:
    rows = [{"t": f"Phone {n}", "v": f"${n}99.00"} for n in (1, 2, 3)]
    data = json.dumps({"l": rows})
    page = f"<main><p>Welcome to the shop.</p></main><script>window.__STATE__ = {data}</script>"

    def choose(asked: Asked) -> Answer:
        text = asked.json["messages"][1]["content"]
        number = re.search(
            r'^LIST (\d+): 3 records in the data of the page, "__STATE__.l"$', text, re.MULTILINE
        )
        assert number, text
        return reply(json.dumps({"list": int(number.group(1)), "fields": {"model": 1, "amount": 2}}))

    server.routes[PATH] = choose
    made = await generate(model, page)
    assert made.generated.items == [{"model": one["t"], "amount": one["v"]} for one in rows]
    assert made.attempts == 1
    assert not any("model was not used" in note for note in made.generated.notes)
