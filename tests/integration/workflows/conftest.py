"""A worker's parts on the module's database, with a table of pages in place of the network."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.pages import SHOP, FakeFetcher, shop_page

from meterhouse.extraction import service as extraction
from meterhouse.extraction.stored import StoredStrategy, StrategyRequest
from meterhouse.identity.service import ensure_organisation
from meterhouse.kernel.clock import TestClock
from meterhouse.platform.postgres import PostgresDatabase
from meterhouse.platform.queue import TaskQueue
from meterhouse.workflows import queries, service
from meterhouse.workflows.model import (
    EdgeDraft,
    InputType,
    NodeDraft,
    Output,
    Workflow,
    WorkflowDraft,
    WorkflowRun,
)
from meterhouse.workflows.tasks import WorkflowTasks

PHONE = "https://shop.example/phones/{}"


def phone_page(name: str, price: float) -> str:
    return (
        f"<html><head><title>Phone {name}</title></head><body><main><h1>Phone {name}</h1>"
        f'<p class="price">${price:.2f}</p><p class="sku">SKU: P{name}-1</p><p>It rings.</p>'
        "</main></body></html>"
    )


class Killed(BaseException):
    """The process is gone: nothing catches it, nothing more is written."""


@dataclass
class MortalDatabase:
    """A database whose process dies at its `dies_at`-th transaction, before or after the commit."""

    database: PostgresDatabase
    dies_at: int
    after_commit: bool
    transactions: int = 0

    @contextlib.asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        self.transactions += 1
        is_last = self.transactions >= self.dies_at
        async with self.database.begin() as connection:
            yield connection
            if is_last and not self.after_commit:
                raise Killed
        if is_last:
            raise Killed


@dataclass
class Bench:
    """Everything a workflow needs, and short ways to make and run one."""

    database: PostgresDatabase
    queue: TaskQueue
    fetcher: FakeFetcher
    clock: TestClock
    tasks: WorkflowTasks
    organisation_id: UUID

    async def generate(self, url: str = SHOP, **changes: Any) -> StoredStrategy:
        given = {"url": url, "description": "phone titles, prices and links", "name": "Phones", **changes}
        return await extraction.generate_strategy(
            self.database,
            self.fetcher,
            self.tasks.extractor,
            organisation_id=self.organisation_id,
            request=StrategyRequest(**given),
            clock=self.clock,
        )

    async def create(self, *nodes: NodeDraft, edges: tuple[EdgeDraft, ...] = ()) -> Workflow:
        async with self.database.begin() as connection:
            return await service.create_workflow(
                connection,
                organisation_id=self.organisation_id,
                draft=WorkflowDraft("Phones", nodes, edges),
                now=self.clock.now(),
            )

    async def shop(self, *, filter_config: dict[str, Any] | None = None) -> Workflow:
        """A list of phones, and a page for each of them."""
        index = await self.generate(output_schema={"title": "string", "price": "number", "url": "string"})
        details = await self.generate(
            PHONE.format("a"), name="script:phone_details", description="the phone's title and price"
        )
        return await self.create(
            NodeDraft("index", index.id, InputType.STATIC_URLS, (SHOP,)),
            NodeDraft("details", details.id, InputType.UPSTREAM_URLS, url_field="url"),
            edges=(EdgeDraft("index", "details", filter_config),),
        )

    async def start(self, workflow: Workflow, *, force: bool = False) -> WorkflowRun:
        async with self.database.begin() as connection:
            return await service.start_run(
                connection,
                self.queue,
                organisation_id=self.organisation_id,
                workflow_id=workflow.id,
                force=force,
                now=self.clock.now(),
            )

    async def drive(self, run: WorkflowRun) -> None:
        await self.tasks.drive_run(run_id=str(run.id))

    async def run(self, workflow: Workflow, *, force: bool = False) -> WorkflowRun:
        """Run a workflow here and now; its queued task later finds it done."""
        self.fetcher.calls.clear()
        started = await self.start(workflow, force=force)
        await self.drive(started)
        return await self.get(started)

    async def get(self, run: WorkflowRun) -> WorkflowRun:
        async with self.database.begin() as connection:
            return await queries.get_run(
                connection,
                organisation_id=self.organisation_id,
                workflow_id=run.workflow_id,
                run_id=run.id,
            )

    async def output(self, workflow: Workflow) -> Output:
        async with self.database.begin() as connection:
            return await queries.get_latest_output(
                connection, organisation_id=self.organisation_id, workflow_id=workflow.id
            )

    def dying(self, at: int, *, after_commit: bool) -> WorkflowTasks:
        """Tasks of a process that dies at one of its transactions."""
        return replace(self.tasks, database=MortalDatabase(self.database, at, after_commit))

    async def value(self, sql: str, **values: object) -> Any:
        async with self.database.begin() as connection:
            return await connection.scalar(text(sql), values)


@pytest.fixture
async def bench(database: PostgresDatabase, postgres_url: str) -> AsyncIterator[Bench]:
    queue = TaskQueue(postgres_url)
    clock = TestClock()
    fetcher = FakeFetcher({SHOP: shop_page(199, 249, 299)})
    for name, price in zip("abc", (199, 249, 299), strict=True):
        fetcher.pages[PHONE.format(name)] = phone_page(name.upper(), price)
    async with database.begin() as connection:
        organisation_id = await ensure_organisation(connection, now=clock.now())
    tasks = WorkflowTasks(database, queue, fetcher, extraction.Extractor(), clock)
    for name, task in tasks.tasks.items():
        queue.register(name, task)
    await queue.open()
    yield Bench(database, queue, fetcher, clock, tasks, organisation_id)
    await queue.close()
    tasks.extractor.close()
