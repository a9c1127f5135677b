"""The first walk: a page and a sentence become a strategy, a job, a table of items and a counted event.

It talks to the started server over HTTP like any other client, so what it shows is what a program gets.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from meterhouse.app import DEMO_SHOP_PATH, Running
from meterhouse.identity import service as identity
from meterhouse.settings import Settings

DEMO_ASK = "product names, prices and ratings"
STRATEGY_NAME = "First strategy"
METER_SLUG = "extracted_items"
JOB_EVENT_TYPE = "meterhouse.job"
ROWS_MAX = 10
CELL_CHARS_MAX = 60
STEP_TIMEOUT_S = 120.0
POLL_S = 0.2


class _StepFailed(Exception):
    """A step of the walk did not work; the text is what the server answered."""


@dataclass(frozen=True)
class _Walker:
    http: httpx.AsyncClient
    console: Console

    async def call(self, method: str, path: str, **options: Any) -> Any:
        answer = await self.http.request(method, path, **options)
        if answer.is_error:
            raise _StepFailed(_reason(answer))
        return answer.json()

    def say(self, text: str) -> None:
        self.console.print(text, soft_wrap=True, highlight=False)


async def walk(settings: Settings, started: Running, base_url: str, *, url: str, ask: str) -> None:
    """Show the main job on real input, then where to go on. A failed step is told, and serving goes on."""
    console = Console()
    secret = await _secret(settings, started)
    page = url or f"{base_url}{DEMO_SHOP_PATH}/"
    async with httpx.AsyncClient(
        base_url=base_url,
        headers={"Authorization": f"Bearer {secret}"},
        timeout=STEP_TIMEOUT_S,
        trust_env=False,
    ) as http:
        walker = _Walker(http, console)
        try:
            await _collect_and_count(walker, page, ask or DEMO_ASK)
        except _StepFailed as failure:
            walker.say(f"[red]That did not work:[/red] {escape(str(failure))}")
        except httpx.HTTPError as failure:
            walker.say(f"[red]That did not work:[/red] {type(failure).__name__}")
    _farewell(console, settings, base_url, secret)


async def _collect_and_count(walker: _Walker, page: str, ask: str) -> None:
    strategy = await _find_or_make_strategy(walker, page, ask)
    job = await _run_job(walker, strategy["strategy_id"], page)
    _show_items(walker, job)
    await _show_changes(walker, strategy["strategy_id"], job)
    await _show_meter(walker, job)


async def _find_or_make_strategy(walker: _Walker, page: str, ask: str) -> Mapping[str, Any]:
    for known in await walker.call("GET", "/api/strategies", params={"limit": 100}):
        if known["url"] == page and known["description"] == ask:
            walker.say(f"[bold]1. Strategy[/bold]  found the one made earlier for {escape(page)}")
            return dict(known)
    walker.say(f'[bold]1. Strategy[/bold]  from {escape(page)} and the words "{escape(ask)}"')
    made = await walker.call(
        "POST",
        "/api/strategies/generate",
        json={"url": page, "description": ask, "name": STRATEGY_NAME, "force_api": False},
    )
    fields = ", ".join(made["strategy"].get("fields", {})) or "sections"
    walker.say(f"   kind {made['scraper_type']}; fields: {escape(fields)}")
    return dict(made)


async def _run_job(walker: _Walker, strategy_id: str, page: str) -> Mapping[str, Any]:
    walker.say("[bold]2. Job[/bold]  run without any model")
    job = await walker.call("POST", "/api/jobs", json={"strategy_id": strategy_id, "url": page})
    async with asyncio.timeout(STEP_TIMEOUT_S):
        while job["status"] in ("pending", "running"):
            await asyncio.sleep(POLL_S)
            job = await walker.call("GET", f"/api/jobs/{job['job_id']}")
    if job["status"] == "failed":
        raise _StepFailed(job["error"])
    return dict(job)


def _show_items(walker: _Walker, job: Mapping[str, Any]) -> None:
    items: Sequence[Mapping[str, Any]] = job["results"]
    columns = list(dict.fromkeys(name for item in items for name in item))
    table = Table(*(escape(name) for name in columns), title=f"{len(items)} items", title_justify="left")
    for item in items[:ROWS_MAX]:
        table.add_row(*(escape(_cell(item.get(name))) for name in columns))
    walker.console.print(table)
    if len(items) > ROWS_MAX:
        walker.say(f"   … and {len(items) - ROWS_MAX} more: GET /api/jobs/{job['job_id']}")


async def _show_changes(walker: _Walker, strategy_id: str, job: Mapping[str, Any]) -> None:
    history = await walker.call("GET", f"/api/jobs/strategies/{strategy_id}/history")
    earlier = [
        entry for entry in history if entry["status"] == "completed" and entry["job_id"] != job["job_id"]
    ]
    if not earlier:
        return
    compared = await walker.call("GET", f"/api/jobs/{job['job_id']}/compare/{earlier[0]['job_id']}")
    told = "; ".join(compared["changes"]) or "nothing changed"
    walker.say(f"   since the run at {earlier[0]['created_at']}: {escape(told)}")


async def _show_meter(walker: _Walker, job: Mapping[str, Any]) -> None:
    walker.say("[bold]3. Meter[/bold]  the job sent a usage event; a meter counts it")
    known = await walker.call("GET", "/api/v1/meters")
    if not any(meter["slug"] == METER_SLUG for meter in known):
        meter = {
            "slug": METER_SLUG,
            "name": "Extracted items",
            "eventType": JOB_EVENT_TYPE,
            "aggregation": "SUM",
            "valueProperty": "$.items",
        }
        await walker.call("POST", "/api/v1/meters", json=meter)
    events = await _events_of(walker, job["job_id"])
    counted = await walker.call("GET", f"/api/v1/meters/{METER_SLUG}/query")
    total = sum(row["value"] for row in counted["data"])
    table = Table("event", "items", "pages", "duration ms", f"meter {METER_SLUG}")
    for event in events:
        data = event["event"]["data"]
        table.add_row(
            event["event"]["type"],
            str(data["items"]),
            str(data["pages"]),
            str(data["duration_ms"]),
            f"{total:g} in all",
        )
    walker.console.print(table)


async def _events_of(walker: _Walker, job_id: str) -> list[Mapping[str, Any]]:
    """The job's usage event: sent right after the job's end, so it may take a moment."""
    for _ in range(50):
        found = await walker.call("GET", "/api/v1/events", params={"id": job_id})
        if found:
            return list(found)
        await asyncio.sleep(POLL_S)
    raise _StepFailed("the job's usage event did not arrive")


async def _secret(settings: Settings, started: Running) -> str:
    """A key for the walk. Secrets are not kept, so a later start makes a fresh one."""
    if settings.api_key:
        return settings.api_key
    if started.first_key is not None:
        return started.first_key.secret
    services = started.services
    async with services.database.begin() as connection:
        now = services.clock.now()
        organisation_id = await identity.ensure_organisation(connection, now=now)
        created = await identity.create_key(
            connection, organisation_id=organisation_id, name="make run", scopes=("*",), now=now
        )
    return created.secret


def _farewell(console: Console, settings: Settings, base_url: str, secret: str) -> None:
    shown = "METERHOUSE_API_KEY, as you set it" if settings.api_key else secret
    lines = (
        "",
        "[bold green]Meterhouse keeps serving.[/bold green] Ctrl-C stops it; a later start finds its data.",
        f"   console   {base_url}/",
        f"   API docs  {base_url}/docs",
        f"   API key   {escape(shown)}",
        f"   data      {escape(str(settings.data_dir))}",
    )
    for line in lines:
        console.print(line, soft_wrap=True, highlight=False)


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= CELL_CHARS_MAX else text[: CELL_CHARS_MAX - 1] + "…"


def _reason(answer: httpx.Response) -> str:
    try:
        body = answer.json()
        return str(body.get("detail") or body)
    except (ValueError, AttributeError):
        return f"HTTP {answer.status_code}"
