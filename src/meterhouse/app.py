"""The composition root: settings -> platform -> contexts -> ASGI app and worker.

This is the only place where real engines are chosen and joined.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import text
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount
from starlette.types import ASGIApp

from meterhouse.apis.facade import Facade
from meterhouse.apis.meter import facade as meter
from meterhouse.apis.openmeter import facade as openmeter
from meterhouse.apis.polar import facade as polar
from meterhouse.apis.server import Server
from meterhouse.apis.services import Limits, Services
from meterhouse.apis.system import clock_routes, health_routes
from meterhouse.catalog import service as catalog
from meterhouse.console.routes import console_routes
from meterhouse.demo.shop import create_shop
from meterhouse.discovery.retention import DiscoveryRetention
from meterhouse.discovery.tasks import DiscoveryTasks
from meterhouse.entitlements import service as entitlements
from meterhouse.entitlements.balance import Balances
from meterhouse.entitlements.consume import Consumer
from meterhouse.entitlements.tasks import EntitlementTasks
from meterhouse.extraction.regeneration import RegenerationTasks
from meterhouse.extraction.service import Sources
from meterhouse.identity import service as identity
from meterhouse.identity.authenticate import Authenticator
from meterhouse.identity.engine import check_given_secret
from meterhouse.kernel.clock import Clock, SystemClock, TestClock
from meterhouse.kernel.errors import Invalid
from meterhouse.monitoring.retention import JobRetention
from meterhouse.monitoring.runner import JobRunner
from meterhouse.monitoring.service import JOBS_CHANGED
from meterhouse.monitoring.tasks import MonitoringTasks
from meterhouse.platform.browser import ChromiumBrowser
from meterhouse.platform.clickhouse_migrate import migrate as migrate_events
from meterhouse.platform.embedded import DataFolder, EmbeddedPostgres, supervised
from meterhouse.platform.events import ClickHouseEventStore, keep_returning_memory, open_event_store
from meterhouse.platform.fetch import AddressPolicy, GuardedFetcher, PoliteFetcher, Robots
from meterhouse.platform.journaled import JournaledEventStore, open_journaled
from meterhouse.platform.mail import MailServer, SmtpMailer
from meterhouse.platform.migrate import migrate_postgres
from meterhouse.platform.model import ChatModel
from meterhouse.platform.postgres import PostgresDatabase, advisory_lock, listen, normalise_url
from meterhouse.platform.queue import TaskQueue
from meterhouse.platform.telemetry import RequestMetrics, render_metrics
from meterhouse.platform.timers import DueScans
from meterhouse.settings import Settings
from meterhouse.usage.all_owners import AllOwners
from meterhouse.usage.answers import Answers
from meterhouse.usage.block import KEY
from meterhouse.usage.block import TABLE as EVENTS
from meterhouse.usage.corrections import Corrections
from meterhouse.usage.ingest import Ingestor, find_stored
from meterhouse.usage.rollups import Rollups
from meterhouse.usage.view import EventView
from meterhouse.webhooks.retention import Retention
from meterhouse.webhooks.send import Carriers
from meterhouse.webhooks.sender import WebhookSender
from meterhouse.workflows.announce import SOURCE as RUN_NOTICES
from meterhouse.workflows.announce import RunNotices
from meterhouse.workflows.retention import RunRetention
from meterhouse.workflows.tasks import WorkflowTasks

EVENTS_MIGRATION_LOCK = "meterhouse_migrate_events"
INGEST_LOCK = "meterhouse_ingest"
ROLLUP_LOCK = "meterhouse_rollups"
# Receivers that hang must not use up the connections that pages are fetched with.
WEBHOOK_CONNECTIONS_MAX = 1_024
DEMO_SHOP_PATH = "/demo/shop"
FACADES: dict[str, Facade] = {facade.name: facade for facade in (meter, openmeter, polar)}


@dataclass(frozen=True)
class Running:
    """A started server: what to serve, and the first key when this start made it."""

    asgi: ASGIApp
    services: Services
    first_key: identity.CreatedKey | None


@dataclass(frozen=True)
class _Engines:
    """`is_exclusive`: both engines are embedded, so no other process can use them."""

    database: PostgresDatabase
    events: ClickHouseEventStore | JournaledEventStore
    queue: TaskQueue
    is_exclusive: bool


@contextlib.asynccontextmanager
async def running(settings: Settings, *, api: bool = True, worker: bool = True) -> AsyncIterator[Running]:
    """Start everything a role needs, and on leaving finish what is in hand and stop it.

    Raises `Invalid`, `Conflict` or `DependencyFailed` with one sentence when something cannot start.
    """
    policy = AddressPolicy.parse(settings.fetch_allow)
    if settings.api_key:
        check_given_secret(settings.api_key)
    async with AsyncExitStack() as stack:
        engines = await _open_engines(stack, settings, one_process=api and worker)
        clock = await _open_clock(engines.database, settings)
        first_key = await _first_key(engines.database, settings, clock)
        authenticator = await _open_authenticator(stack, engines.database, clock)
        ingestor = await _open_ingestor(stack, engines, clock)
        events = await _open_view(stack, engines, ingestor, clock)
        balances = Balances(engines.database, events, ingestor, clock)
        services = Services(
            database=engines.database,
            events=events,
            fetcher=_polite(await stack.enter_async_context(GuardedFetcher(policy)), settings),
            browser=_open_browser(stack, policy, settings),
            model=_open_model(stack, settings),
            queue=engines.queue,
            clock=clock,
            ingestor=ingestor,
            authenticator=authenticator,
            balances=balances,
            consumer=Consumer(engines.database, events, ingestor, balances, clock),
            mailer=_open_mailer(settings),
            limits=Limits(
                meter_body_bytes=settings.body_bytes_max, openmeter_body_bytes=settings.body_bytes_max
            ),
            meter_guards=(catalog.guard_meter, partial(entitlements.guard_meter, clock=clock)),
            customer_guards=(partial(entitlements.guard_customer, clock=clock),),
        )
        stack.callback(services.extractor.close)
        webhook_fetcher = GuardedFetcher(policy, connections_max=WEBHOOK_CONNECTIONS_MAX)
        await stack.enter_async_context(webhook_fetcher)
        carriers = Carriers(webhook_fetcher, services.mailer)
        work = _register_work(engines, services, authenticator, carriers, ingestor, settings)
        stack.push_async_callback(work.sender.close)
        await engines.queue.open()
        stack.push_async_callback(engines.queue.close)
        if worker:
            await _start_worker(stack, engines, work, settings)
        yield Running(_asgi(engines, services, work), services, first_key)


async def _open_engines(stack: AsyncExitStack, settings: Settings, *, one_process: bool) -> _Engines:
    embedded = not (settings.database_url and settings.events_url)
    if embedded and not one_process:
        raise Invalid(
            "Separate `serve` and `worker` processes need METERHOUSE_DATABASE_URL and METERHOUSE_EVENTS_URL, "
            "because the embedded engines belong to one process. Use `meterhouse up` with them."
        )
    folder = DataFolder(settings.data_dir)
    if embedded:
        folder.open()
        stack.callback(folder.close)
    if settings.database_url:
        database_url = normalise_url(settings.database_url)
    else:
        database_url = await _start_postgres(stack, folder)
    await asyncio.to_thread(migrate_postgres, database_url)
    database = PostgresDatabase(database_url)
    stack.push_async_callback(database.close)
    events = await _open_events(stack, database, settings.events_url or f"chdb://{folder.events_path}")
    return _Engines(database, events, TaskQueue(database_url), is_exclusive=embedded)


async def _open_events(
    stack: AsyncExitStack, database: PostgresDatabase, url: str
) -> ClickHouseEventStore | JournaledEventStore:
    engine = await open_event_store(url)
    stack.push_async_callback(engine.close)
    async with advisory_lock(database, EVENTS_MIGRATION_LOCK):
        await migrate_events(engine)
    if not engine.is_embedded:
        return engine
    await stack.enter_async_context(_in_background(keep_returning_memory(engine)))
    events = await open_journaled(engine, table=EVENTS, key=KEY, find_stored=find_stored)
    stack.push_async_callback(events.close)
    return events


async def _start_postgres(stack: AsyncExitStack, folder: DataFolder) -> str:
    postgres = EmbeddedPostgres(folder.postgres_path)
    url = await asyncio.to_thread(postgres.start)
    stack.push_async_callback(asyncio.to_thread, postgres.stop)
    await stack.enter_async_context(supervised(postgres))
    return url


async def _open_clock(database: PostgresDatabase, settings: Settings) -> Clock:
    """The system clock, or a test clock that stands where it was last put."""
    if not settings.test_clock:
        return SystemClock()
    async with database.begin() as connection:
        return TestClock((await connection.execute(text("SELECT at FROM test_clock"))).scalar())


async def _first_key(
    database: PostgresDatabase, settings: Settings, clock: Clock
) -> identity.CreatedKey | None:
    async with database.begin() as connection:
        organisation_id = await identity.ensure_organisation(connection, now=clock.now())
        return await identity.ensure_first_key(
            connection, organisation_id=organisation_id, given=settings.api_key, now=clock.now()
        )


async def _open_authenticator(
    stack: AsyncExitStack, database: PostgresDatabase, clock: Clock
) -> Authenticator:
    authenticator = Authenticator(database, clock)
    listening = listen(
        database.url,
        identity.KEYS_CHANGED,
        on_message=authenticator.forget,
        on_up=authenticator.resume,
        on_down=authenticator.pause,
    )
    await stack.enter_async_context(_in_background(listening))
    return authenticator


@contextlib.asynccontextmanager
async def _in_background(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def _polite(fetcher: GuardedFetcher, settings: Settings) -> PoliteFetcher:
    robots = Robots(fetcher) if settings.robots else None
    return PoliteFetcher(
        fetcher, per_host=settings.host_concurrency, delay_s=settings.host_delay_s, robots=robots
    )


def _open_browser(stack: AsyncExitStack, policy: AddressPolicy, settings: Settings) -> ChromiumBrowser:
    browser = ChromiumBrowser(policy, executable=settings.browser)
    stack.push_async_callback(browser.aclose)
    return browser


def _open_model(stack: AsyncExitStack, settings: Settings) -> ChatModel | None:
    if not settings.model_url:
        return None
    model = ChatModel(settings.model_url, name=settings.model_name, api_key=settings.model_api_key)
    stack.push_async_callback(model.aclose)
    return model


def _open_mailer(settings: Settings) -> SmtpMailer | None:
    if not settings.smtp_url:
        return None
    return SmtpMailer(MailServer.parse(settings.smtp_url, sender=settings.smtp_from))


async def _open_ingestor(stack: AsyncExitStack, engines: _Engines, clock: Clock) -> Ingestor:
    # An event server may have other writers: then each block takes its turn and is looked up there.
    lock = None if engines.events.is_embedded else partial(advisory_lock, engines.database, INGEST_LOCK)
    ingestor = Ingestor(engines.events, clock, lock=lock)
    await ingestor.start()
    stack.push_async_callback(ingestor.stop)
    return ingestor


async def _open_view(stack: AsyncExitStack, engines: _Engines, ingestor: Ingestor, clock: Clock) -> EventView:
    lock = None if engines.events.is_embedded else partial(advisory_lock, engines.database, ROLLUP_LOCK)
    newest = None if ingestor.is_shared else ingestor.newest
    owners = None if newest is None else AllOwners(engines.events)
    rollups = Rollups(engines.events, lambda: ingestor.reached, lock=lock, owners=owners)
    await rollups.start()
    stack.push_async_callback(rollups.stop)
    answers = Answers(is_shared=ingestor.is_shared)
    ingestor.subscribe(answers.hear)
    corrections = Corrections(engines.events, ingestor, clock)
    return EventView(engines.events, corrections, rollups, answers, newest)


@dataclass(frozen=True)
class _Work:
    """What goes on in the background, beside the queue."""

    scans: DueScans
    sender: WebhookSender
    runner: JobRunner


def _register_work(
    engines: _Engines,
    services: Services,
    authenticator: Authenticator,
    carriers: Carriers,
    ingestor: Ingestor,
    settings: Settings,
) -> _Work:
    """Make every task and scan known; whether they run here depends on the role."""
    runner = JobRunner(
        services.database,
        Sources(services.fetcher, services.browser, services.extractor),
        services.ingestor,
        services.clock,
        services.signals,
        concurrency=settings.job_concurrency,
        per_host=settings.host_concurrency,
    )
    monitoring = MonitoringTasks(services.database, runner, services.ingestor, services.clock)
    regeneration = RegenerationTasks(
        services.database, services.queue, services.fetcher, services.extractor, services.clock
    )
    workflows = WorkflowTasks(
        database=services.database,
        queue=services.queue,
        fetcher=services.fetcher,
        extractor=services.extractor,
        clock=services.clock,
        browser=services.browser,
    )
    credit = EntitlementTasks(
        services.database,
        services.events,
        ingestor,
        services.balances,
        keys_kept_for=timedelta(days=settings.consumption_retention_days),
    )
    discovery = DiscoveryTasks(services.database, services.queue, services.fetcher, services.clock)
    for name, task in {**regeneration.tasks, **workflows.tasks, **discovery.tasks}.items():
        engines.queue.register(name, task)

    scans = DueScans(services.clock)
    scans.register("identity.last_used", authenticator.flush_last_used)
    renderers = {**monitoring.renderers, RUN_NOTICES: RunNotices(services.database)}
    sender = WebhookSender(services.database, carriers, services.clock, renderers)
    retention = Retention(services.database, timedelta(days=settings.webhook_retention_days))
    results_kept_for = timedelta(days=settings.result_retention_days)
    found = {
        **monitoring.scans,
        **regeneration.scans,
        **workflows.scans,
        **discovery.scans,
        **credit.scans,
        **sender.scans,
        **retention.scans,
        **JobRetention(services.database, results_kept_for).scans,
        **RunRetention(services.database, results_kept_for).scans,
        **DiscoveryRetention(services.database, results_kept_for).scans,
    }
    for name, scan in found.items():
        scans.register(name, scan)
    return _Work(scans, sender, runner)


async def _start_worker(stack: AsyncExitStack, engines: _Engines, work: _Work, settings: Settings) -> None:
    # Where no other worker can exist, whatever was running when the last process ended is lost.
    await engines.queue.rescue(all_running=engines.is_exclusive)
    await stack.enter_async_context(engines.queue.working(concurrency=settings.worker_concurrency))
    runner = work.runner
    # Its lock tells other workers that it lives; it must be held before the first job is taken.
    present = asyncio.Event()

    def is_up() -> None:
        present.set()
        runner.wake()

    listening = listen(
        engines.database.url,
        JOBS_CHANGED,
        on_message=runner.wake,
        on_up=is_up,
        on_down=present.clear,
        hold=runner.presence,
    )
    await stack.enter_async_context(_in_background(listening))
    await present.wait()
    await stack.enter_async_context(runner.running())
    await stack.enter_async_context(work.scans.running())


def _asgi(engines: _Engines, services: Services, work: _Work) -> ASGIApp:
    for facade in FACADES.values():
        facade.load()
    metrics = RequestMetrics()
    probes = {"database": engines.database.ping, "events": engines.events.ping}
    routes: list[BaseRoute] = [
        *health_routes(probes, partial(render_metrics, metrics.registry)),
        *console_routes(services, FACADES),
        Mount(DEMO_SHOP_PATH, app=create_shop(services.clock)),
    ]
    if isinstance(services.clock, TestClock):
        routes += clock_routes(services.clock, partial(_move_clock, services.clock, engines, work))
    return Server(services, facades=FACADES, outer=Starlette(routes=routes), metrics=metrics)


async def _move_clock(clock: TestClock, engines: _Engines, work: _Work, to: datetime) -> None:
    """Move the test clock and return when everything that thereby became due is done."""
    clock.move_to(to)
    async with engines.database.begin() as connection:
        await connection.execute(
            text("INSERT INTO test_clock (id, at) VALUES (1, :at) ON CONFLICT (id) DO UPDATE SET at = :at"),
            {"at": clock.now()},
        )

    async def drain() -> None:
        await engines.queue.drain()
        await work.runner.drain()
        await work.sender.drain()

    await work.scans.settle(drain)
