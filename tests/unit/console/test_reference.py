"""The API reference: complete, correct, linked, and quick."""

from __future__ import annotations

import gzip
import json
import shlex
from time import process_time

import httpx
import pytest
from tests.unit.console.conftest import FACADES, Stage
from tests.unit.console.markup import parse

from meterhouse.apis.contract import Operation
from meterhouse.apis.facade import Facade
from meterhouse.console.reference.curl import curl_line
from meterhouse.console.reference.examples import Sampler
from meterhouse.console.reference.operations import Describer, humanise
from meterhouse.console.reference.schemas import SchemaBook

CPU_S_MAX = 1.5  # a fifth of that on an idle machine; a slip into quadratic work costs far more

OPERATIONS = [
    pytest.param(facade, operation, id=f"{facade.name}-{operation.id}")
    for facade in FACADES.values()
    for operation in facade.contract.operations.values()
]


@pytest.fixture(scope="module", params=list(FACADES))
def facade(request: pytest.FixtureRequest) -> Facade:
    found = FACADES[request.param]
    found.load()
    return found


async def test_every_operation_has_its_place(facade: Facade, browser: httpx.AsyncClient):
    page = parse((await browser.get(f"/docs/{facade.name}")).text)
    shown = [element.attributes for element in page.all("details") if element.attributes["class"] == "op"]
    assert len(shown) == len(facade.contract.operations)
    searched = [one["data-search"].split() for one in shown]
    for operation in facade.contract.operations.values():
        assert any(
            {operation.method.lower(), operation.path.lower(), operation.id.lower()} <= set(words)
            for words in searched
        ), operation.id
    assert sum("data-served" in one for one in shown) == len(facade.served)


async def test_every_link_leads_somewhere(facade: Facade, browser: httpx.AsyncClient):
    page = parse((await browser.get(f"/docs/{facade.name}")).text)
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    targets = {address[1:] for address in page.values("href") if address.startswith("#")}
    assert targets <= set(ids)


async def test_the_index_counts_what_works(browser: httpx.AsyncClient):
    text = " ".join(parse((await browser.get("/docs")).text).text.split())
    for facade in FACADES.values():
        assert f"{len(facade.served)} of {len(facade.contract.operations)} operations work" in text


async def test_the_contract_is_served_as_it_is(facade: Facade, browser: httpx.AsyncClient):
    answer = await browser.get(f"/docs/{facade.name}.json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == facade.contract.document
    assert (await browser.get("/docs/none.json")).status_code == 404
    assert (await browser.get("/docs/none")).status_code == 404


async def test_an_unchanged_page_is_not_sent_again(stage: Stage, browser: httpx.AsyncClient):
    first = await browser.get("/docs/polar", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in first.headers
    again = await browser.get("/docs/polar", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    async with browser.stream("GET", "/docs/polar", headers={"Accept-Encoding": "gzip"}) as packed:
        raw = b"".join([chunk async for chunk in packed.aiter_raw()])
    assert gzip.decompress(raw) == first.content
    assert len(raw) < len(first.content) / 5


@pytest.mark.parametrize(("facade", "operation"), OPERATIONS)
def test_examples_are_what_the_contract_accepts(facade: Facade, operation: Operation):
    sampler = Sampler(SchemaBook(facade.contract.document))
    for kind, schema in operation.request_bodies.items():
        if kind.endswith("json"):
            operation.check_body(sampler.sample(schema, "request"), kind)
    for status, kinds in operation.responses.items():
        for kind, schema in kinds.items():
            if kind.endswith("json") and status.isdigit() and status.startswith("2"):
                example = sampler.sample(schema, "response")
                assert operation.check_response(int(status), kind, example) == []


def test_the_largest_contract_is_described_quickly():
    started = process_time()
    described = Describer(FACADES["openmeter"])
    assert len(described.groups) > 10
    assert len(described.schemas) > 400
    assert process_time() - started < CPU_S_MAX


@pytest.mark.parametrize(
    ("operation_id", "words"),
    [
        ("listMeters", "List meters"),
        ("getEntitlementById", "Get entitlement by id"),
        ("updateStripeAPIKey", "Update stripe API key"),
        ("marketplaceOAuth2InstallGetURL", "Marketplace OAuth2 install get URL"),
        ("meters:get_external", "Meters: get external"),
        ("customer_meters:list", "Customer meters: list"),
        ("generate_strategy", "Generate strategy"),
    ],
)
def test_ids_are_spelt_as_words(operation_id: str, words: str):
    assert humanise(operation_id) == words


def test_command_lines_survive_a_shell():
    hostile = 'it\'s; $(rm -rf /) `x` "y" & /?'
    line = curl_line(
        "POST",
        "/api/v1/meters/{id}",
        path_values={"id": hostile},
        query=[("q", hostile), ("flag", True)],
        body={"name": hostile},
        content_type="application/json",
    )
    words = [word for word in shlex.split(line) if word != "\n"]
    assert words[:3] == ["curl", "-X", "POST"]
    assert words[3].startswith("http://127.0.0.1:8000/api/v1/meters/it%27s%3B%20%24%28rm")
    assert words[3].count("/") == 6
    assert words[3].endswith("&flag=true")
    assert json.loads(words[-1]) == {"name": hostile}
