"""Stored strategies: made from a page, shown, filtered, deleted."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select
from tests.integration.monitoring.conftest import Bench
from tests.pages import SHOP, shop_page, unreachable

from meterhouse.extraction import queries, service
from meterhouse.extraction.model import ExtractionFailed
from meterhouse.extraction.stored import PageNotFetched
from meterhouse.extraction.tables import strategies
from meterhouse.kernel.errors import Invalid, NotFound
from meterhouse.kernel.ids import new_id


async def count(bench: Bench) -> int:
    async with bench.database.begin() as connection:
        return int(await connection.scalar(select(func.count()).select_from(strategies)) or 0)


async def test_a_sentence_makes_a_strategy(bench: Bench) -> None:
    made = await bench.generate()
    assert made.kind == "css"
    assert len(made.preview) == 3
    assert any("Phone A" in str(value) for value in made.preview[0].values())
    async with bench.database.begin() as connection:
        found = await service.get_strategy(
            connection, organisation_id=bench.organisation_id, strategy_id=made.id
        )
        page = await queries.find_page(connection, strategy_id=made.id)
    assert found == made
    assert list(found.document) == list(made.document), "the order of keys is kept"
    assert page is not None
    assert "Phone C" in str(page.html)


async def test_the_preview_of_a_wrapping_schema_shows_items(bench: Bench) -> None:
    made = await bench.generate(output_schema={"phones": [{"title": "string", "price": "number"}]})
    assert made.preview[0] == {"title": "Phone A", "price": 199.0}
    job = await bench.run(made)
    assert (job.wrapper, job.item_count) == ("phones", 3)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"url": "shop.example"}, "http://"),
        ({"url": "ftp://shop.example/"}, "http://"),
        ({"url": "https://"}, "host"),
        ({"url": "https://shop.example:99999/"}, "Port"),
        ({"name": "  "}, "name"),
        ({"description": " "}, "description"),
        ({"output_schema": {"title": "text"}}, "title"),
        ({"filter_config": {"mode": "all", "conditions": [{"field": "a", "operator": "is"}]}}, "is"),
        ({"kind": "content", "output_schema": {"title": "string"}}, "output_schema"),
    ],
)
async def test_bad_input_is_refused_before_any_fetch(bench: Bench, change: Any, words: str) -> None:
    before = await count(bench)
    with pytest.raises(Invalid, match=words):
        await bench.generate(**change)
    assert bench.fetcher.calls == []
    assert await count(bench) == before


@pytest.mark.parametrize(
    ("page", "reason", "words"),
    [
        (404, "status", "404 Not Found. Check the address"),
        (403, "status", "403 Forbidden. The site refuses"),
        (503, "status", "503 Service Unavailable. Try again"),
        (unreachable(SHOP), "connect", "could not be fetched"),
    ],
)
async def test_no_page_is_told_with_status_and_advice(
    bench: Bench, page: Any, reason: str, words: str
) -> None:
    bench.fetcher.pages[SHOP] = page
    with pytest.raises(PageNotFetched) as raised:
        await bench.generate()
    assert raised.value.reason == reason
    assert words in raised.value.message
    assert SHOP in raised.value.message


async def test_a_page_of_another_kind_is_told(bench: Bench) -> None:
    bench.fetcher.headers = {"content-type": "application/pdf"}
    with pytest.raises(PageNotFetched, match="application/pdf, not a web page"):
        await bench.generate()


async def test_nothing_to_extract_names_the_page_and_what_to_do(bench: Bench) -> None:
    bench.fetcher.pages[SHOP] = "<html><body></body></html>"
    with pytest.raises(ExtractionFailed, match=SHOP):
        await bench.generate()


@pytest.mark.parametrize(
    ("header", "encoding", "meta"),
    [
        ("text/html; charset=ISO-8859-1", "latin-1", ""),
        ('text/html; charset="shift_jis"', "shift_jis", ""),
        ("text/html", "latin-1", '<meta charset="iso-8859-1">'),
        ("text/html; charset=no-such-charset", "utf-8", ""),
        ("text/html; charset=iso-8859-1", "utf-8-sig", ""),
    ],
)
async def test_the_charset_of_header_and_meta_is_honoured(
    bench: Bench, header: str, encoding: str, meta: str
) -> None:
    word = "電話" if encoding == "shift_jis" else "Téléphone"
    html = shop_page(1, 2, 3).replace("Phone", word).replace("<head>", f"<head>{meta}")
    bench.fetcher.headers = {"content-type": header}
    bench.fetcher.pages[SHOP] = html.encode(encoding)
    assert f"{word} A" in str((await bench.generate()).preview)


async def test_a_filter_decides_what_is_kept_and_makes_a_new_version(bench: Bench) -> None:
    made = await bench.generate(output_schema={"title": "string", "price": "number"})

    async def keep(config: Any) -> Any:
        return await service.update_filter(
            bench.database,
            bench.runner.sources.extractor,
            organisation_id=bench.organisation_id,
            strategy_id=made.id,
            filter_config=config,
            clock=bench.clock,
        )

    dear = await keep({"mode": "all", "conditions": [{"field": "price", "operator": "gt", "value": "200"}]})
    assert [item["title"] for item in dear.preview] == ["Phone B", "Phone C"]
    assert dear.version == 2
    assert (await bench.run(dear)).item_count == 2
    with pytest.raises(Invalid):
        await keep({"mode": "all", "conditions": [{"field": "a", "operator": "regex_match", "value": "("}]})
    cleared = await keep(None)
    assert (len(cleared.preview), cleared.version, cleared.filter_config) == (3, 3, None)


async def test_a_content_strategy_needs_no_description_and_shows_all_sections(bench: Bench) -> None:
    text = "".join(f"<h2>Part {n}</h2><p>{'Words about part. ' * 8}{n}</p>" for n in range(14))
    bench.fetcher.pages[SHOP] = f"<html><body><main><h1>Book</h1>{text}</main></body></html>"
    made = await bench.generate(kind="content", description="")
    assert made.kind == "content"
    assert len(made.preview) >= 14
    assert set(made.preview[1]) == {"heading", "level", "content"}


async def test_deleting_takes_the_jobs_along_and_stays_in_the_quota(bench: Bench) -> None:
    made = await bench.generate()
    job = await bench.run(made)
    now = bench.clock.now()
    async with bench.database.begin() as connection:
        used = await service.count_quota_use(connection, organisation_id=bench.organisation_id, now=now)
        await service.delete_strategy(
            connection, organisation_id=bench.organisation_id, strategy_id=made.id, now=now
        )
    with pytest.raises(NotFound, match="Job not found"):
        await bench.get(job)
    async with bench.database.begin() as connection:
        assert used == await service.count_quota_use(
            connection, organisation_id=bench.organisation_id, now=now
        )


async def test_strategies_of_others_are_not_found(bench: Bench) -> None:
    made = await bench.generate()
    async with bench.database.begin() as connection:
        with pytest.raises(NotFound, match="Strategy not found"):
            await service.get_strategy(connection, organisation_id=new_id(), strategy_id=made.id)
        assert (await service.list_strategies(connection, organisation_id=new_id(), limit=9, offset=0)) == []


async def test_newest_first(bench: Bench) -> None:
    made = [await bench.generate(name=f"n{at}") for at in range(3)]
    async with bench.database.begin() as connection:
        found = await service.list_strategies(
            connection, organisation_id=bench.organisation_id, limit=2, offset=1
        )
    assert [one.id for one in found] == [made[1].id, made[0].id]
