"""A server under mixed load that is killed again and again, and what must be true of it afterwards.

    python -m tests.faults [kills]      50 kills by default

The load comes through the published client: single jobs and batches, schedules with webhooks and emails,
workflows, and two readers of changes, one of which acknowledges what it processed. Pages change meanwhile.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from meter_sdk import MeterClient, MeterError, Workflow

from tests.mailbox import Mailbox
from tests.pages import shop_page
from tests.receiver import Receiver
from tests.server import ServerProcess
from tests.site import Site

SCHEMA = {"title": "string", "price": "number"}
PAGES = 4
SETTLE_S = 90
# What users start between two kills, so that what is left to do at the end follows from the number of kills.
STARTS_PER_KILL = 4


class Flaky(Receiver):
    """Refuses some messages the first time; keeps what it took, by message."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: dict[str, set[bytes]] = defaultdict(set)
        self._seen: set[str] = set()

    def answer(self, headers: dict[str, str], body: bytes) -> int:
        message = headers["webhook-id"]
        is_first, _ = message not in self._seen, self._seen.add(message)
        if is_first and message[-1] in "07":
            return 500
        self.taken[message].add(body)
        return 200


@dataclass
class World:
    """Everything around the server, and what its users were told."""

    server: ServerProcess
    site: Site
    receiver: Flaky
    mailbox: Mailbox
    random: random.Random
    versions: list[int] = field(default_factory=lambda: [1] * PAGES)
    jobs: list[str] = field(default_factory=list)
    runs: list[str] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)
    returned_after_acknowledgement: list[str] = field(default_factory=list)
    failed_reads: int = 0
    faults: list[str] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)
    http: httpx.Client = field(init=False)
    kills: int = 0
    strategy: str = ""
    workflow: str = ""
    schedules: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # Nothing is asked over TLS; reading certificates would cost more than all the calls.
        self.http = httpx.Client(
            base_url=self.server.base_url,
            headers=self.server.headers,
            timeout=SETTLE_S,
            trust_env=False,
            verify=False,
        )

    def may_start(self, started: int) -> bool:
        """Whether the load may start more of what it has started so many of."""
        return started < STARTS_PER_KILL * (self.kills + 1)

    def client(self) -> MeterClient:
        return MeterClient(self.server.api_key, self.server.base_url)

    def page(self, at: int) -> str:
        return self.site.url(f"/phones/{at}")

    def show(self, at: int, version: int) -> None:
        self.versions[at] = version
        self.site.pages[f"/phones/{at}"] = shop_page(199, 249, version)

    def prepare(self) -> None:
        """Strategies, schedules and a workflow, made before anything is killed."""
        for at in range(PAGES):
            self.show(at, 1)
        for path in ("/still", "/phones/a", "/phones/b", "/phones/c"):
            self.site.pages[path] = shop_page(199, 249, 299)
        self.site.delay_s = 0.1  # so that kills meet pages on their way
        with self.client() as client:
            made = client.generate_strategy(self.page(0), "phones", "Phones", output_schema=SCHEMA)
            self.strategy = made["strategy_id"]
            hooks = {
                "taken": {"webhook_url": self.receiver.url(), "urls": [self.page(0), self.page(1)]},
                "acknowledged": {"webhook_url": self.receiver.url(), "url": self.page(2)},
                "mailed": {"webhook_url": "mailto:team@example.com", "url": self.page(3)},
            }
            for name, given in hooks.items():
                schedule = client.create_schedule(self.strategy, interval_seconds=60, **given)
                self.schedules[name] = schedule["id"]
            workflow = Workflow("Shop")
            linked = client.generate_strategy(
                self.site.url("/still"), "phones", "Links", output_schema={**SCHEMA, "url": "string"}
            )
            index = workflow.start("index", linked["strategy_id"], urls=[self.site.url("/still")])
            index.then("phones", self.strategy, url_field="url")
            self.workflow = client.create_workflow(workflow)["id"]
            client.schedule_workflow(
                self.workflow, interval_seconds=60, webhook_url=self.receiver.url("/runs")
            )


def loads(world: World) -> Sequence[Callable[[MeterClient], None]]:
    """What users do, over and over; each in a thread of its own."""

    def start_jobs(client: MeterClient) -> None:
        if not world.may_start(len(world.jobs) // 4):
            return
        page = world.page(world.random.randrange(PAGES))
        world.jobs.append(client.create_job(world.strategy, url=page)["job_id"])
        world.jobs.extend(client.create_job(world.strategy, urls=[page] * 3)["job_ids"])

    def start_runs(client: MeterClient) -> None:
        if world.may_start(len(world.runs)):
            world.runs.append(client.run_workflow(world.workflow, wait=False, force=True)["id"])

    def take_changes(client: MeterClient) -> None:
        try:
            found = client.get_schedule_changes(world.schedules["taken"])
        except MeterError:
            world.failed_reads += 1
            raise
        world.taken.extend(job["job_id"] for job in found["changes"])

    def acknowledge_changes(client: MeterClient) -> None:
        schedule, before = world.schedules["acknowledged"], set(world.acknowledged)
        found = client.get_schedule_changes(schedule, mark_seen=False)
        ids = [job["job_id"] for job in found["changes"]]
        world.returned_after_acknowledgement.extend(before.intersection(ids))
        if ids:
            client._post(f"/api/schedules/{schedule}/changes/acknowledge", json={"job_ids": ids})
            world.acknowledged.extend(ids)

    def change_pages(client: MeterClient) -> None:
        at = world.random.randrange(PAGES)
        world.show(at, world.versions[at] + 1)

    def pass_time(client: MeterClient) -> None:
        move(world, timedelta(seconds=61))

    return (start_jobs, start_runs, take_changes, acknowledge_changes, change_pages, pass_time)


def move(world: World, by: timedelta) -> bool:
    """Move the server's clock; whether everything that thereby became due is done."""
    try:
        now = datetime.fromisoformat(world.http.get("/testing/clock").json()["now"])
        return world.http.put("/testing/clock", json={"now": (now + by).isoformat()}).status_code == 200
    except (httpx.HTTPError, ValueError, KeyError):
        return False


@contextlib.contextmanager
def loading(world: World) -> Iterator[None]:
    """All loads at once; calls that meet a dead server fail, as their users would see."""

    def work(load: Callable[[MeterClient], None]) -> None:
        with world.client() as client:
            while not world.stopped.wait(0.1):
                try:
                    load(client)
                except MeterError as error:
                    if "API error" in str(error) and "database" not in str(error).lower():
                        world.faults.append(str(error))

    threads = [threading.Thread(target=work, args=(load,), daemon=True) for load in loads(world)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        world.stopped.set()
        for thread in threads:
            thread.join(SETTLE_S)


def kill(world: World, kind: str) -> None:
    """End the server, its database, or both, at once and without a warning."""
    pid_file = world.server.data / "postgres" / "postmaster.pid"
    if kind != "server":
        with contextlib.suppress(OSError, ValueError):
            os.kill(int(pid_file.read_text().split()[0]), signal.SIGKILL)
    if kind != "database":
        world.server.kill()
        world.server.start()


def change_once_more(world: World) -> None:
    """However few plans came due under the load: each page is read once, and once more after a change."""
    for _ in range(2):
        assert move(world, timedelta(seconds=61)), "the server does not come to rest"
        for at in range(PAGES):
            world.show(at, world.versions[at] + 1)
    assert move(world, timedelta(seconds=61)), "the server does not come to rest"


def settle(world: World) -> None:
    """Stop all plans, and let everything end that has begun."""
    with world.client() as client:
        for schedule in world.schedules.values():
            client.update_schedule(schedule, enabled=False)
        client.update_workflow(world.workflow, enabled=False)
        for _ in range(8):
            assert move(world, timedelta(minutes=11)), "the server does not come to rest"
        for name, seen in (("taken", world.taken), ("acknowledged", world.acknowledged)):
            while found := client.get_schedule_changes(world.schedules[name])["changes"]:
                seen.extend(job["job_id"] for job in found)


def check(world: World) -> dict[str, int]:
    """Nothing is lost, and nothing happened twice; returns what there was."""
    assert world.faults == [], world.faults[:3]
    counts: dict[str, int] = {}
    with world.client() as client:
        for job_id in world.jobs:
            assert client.get_job(job_id)["status"] == "completed", client.get_job(job_id)
        counts["jobs"] = len(world.jobs)
        for run_id in world.runs:
            run = client.get_workflow_run(world.workflow, run_id)
            assert run["status"] == "completed", run
            assert [item["price"] for item in run["final_results"]] == [199, 249, 299] * 3
        counts["workflow runs"] = len(world.runs)
        scheduled = {name: listed(client, which) for name, which in world.schedules.items()}
    changed = {name: changes_of(jobs) for name, jobs in scheduled.items()}
    counts["scheduled jobs"] = sum(map(len, scheduled.values()))
    counts["changes"] = sum(map(len, changed.values()))
    check_readers(world, changed)
    check_messages(world, scheduled, changed["mailed"])
    counts["webhooks"] = len(world.receiver.taken)
    counts["emails"] = len({letter.message["Message-ID"] for letter in world.mailbox.letters})
    check_usage(world, [*world.jobs, *(job["id"] for jobs in scheduled.values() for job in jobs)])
    return counts


def listed(client: MeterClient, schedule: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while page := client.list_jobs(schedule_id=schedule, limit=1000, offset=len(found)):
        found += page
    assert {job["status"] for job in found} <= {"completed"}, "every page was there all the time"
    return found


def changes_of(jobs: list[dict[str, Any]]) -> list[str]:
    """The jobs that found a change, each new content once; nothing else claims to be one."""
    found: list[str] = []
    for url in {job["url"] for job in jobs}:
        before: tuple[str, float] | None = None
        for job in sorted(
            (job for job in jobs if job["url"] == url), key=lambda job: (job["completed_at"], job["id"])
        ):
            now = job["content_hash"], job["results"][2]["price"]
            assert before is None or now[1] >= before[1], "older content came after newer content"
            assert job["has_changes"] == (before is not None and now[0] != before[0]), job
            found += [job["id"]] if job["has_changes"] else []
            before = now
    return found


def check_readers(world: World, changed: dict[str, list[str]]) -> None:
    assert len(world.taken) == len(set(world.taken)), "a change was given out twice"
    assert set(world.taken) <= set(changed["taken"])
    if not world.failed_reads:
        assert set(world.taken) == set(changed["taken"])
    assert world.returned_after_acknowledgement == []
    assert set(world.acknowledged) == set(changed["acknowledged"]), "a change was lost"


def check_messages(world: World, scheduled: dict[str, list[dict[str, Any]]], mailed: list[str]) -> None:
    assert all(len(bodies) == 1 for bodies in world.receiver.taken.values()), "two bodies under one id"
    told: dict[str, set[str]] = defaultdict(set)
    for received in world.receiver.received:
        told[received.json.get("job_id") or received.json["run_id"]].add(received.headers["webhook-id"])
    assert all(len(messages) == 1 for messages in told.values()), "two messages about one job"
    delivered = {job for job, (message,) in told.items() if message in world.receiver.taken}
    wanted = {job["id"] for name in ("taken", "acknowledged") for job in scheduled[name]}
    assert wanted <= delivered, f"{len(wanted - delivered)} of {len(wanted)} webhooks were lost"
    letters = {letter.message["Message-ID"] for letter in world.mailbox.letters}
    assert len(letters) == len(mailed), "emails were lost, or sent under two ids"


def check_usage(world: World, jobs: list[str]) -> None:
    """Every job is counted once by the meters of the same server."""
    meter = {
        "slug": "jobs",
        "eventType": "meterhouse.job",
        "aggregation": "COUNT",
        "groupBy": {"job": "$.job_id"},
    }
    made = world.http.post("/api/v1/meters", json=meter)
    assert made.status_code in (200, 201), made.text
    answer = world.http.get("/api/v1/meters/jobs/query", params={"groupBy": "job"}).json()
    counted = {row["groupBy"]["job"]: row["value"] for row in answer["data"]}
    assert {counted.get(job) for job in jobs} == {1}


@contextlib.contextmanager
def world_in(folder: Path, seed: int) -> Iterator[World]:
    with contextlib.ExitStack() as stack:
        site, receiver, mailbox = Site(), Flaky(), Mailbox()
        for one in (site, receiver, mailbox):
            stack.callback(one.close)
        environment = {
            "METERHOUSE_SMTP_URL": f"smtp://127.0.0.1:{mailbox.port}",
            "METERHOUSE_SMTP_FROM": "meterhouse@example.com",
        }
        server = ServerProcess(folder / "data", environment=environment)
        stack.callback(server.close)
        server.start()
        world = World(server, site, receiver, mailbox, random.Random(seed))
        stack.callback(world.http.close)
        yield world


def run(
    folder: Path,
    kinds: Sequence[str],
    seed: int,
    tell: Callable[[str], None] = lambda line: None,
) -> dict[str, int]:
    """Load a server, kill it in each of these ways, and check that nothing is missing.

    `tell` hears how long each part took.
    """

    def timed(name: str, part: Callable[[], object]) -> None:
        begun = time.monotonic()
        part()
        tell(f"{name}: {time.monotonic() - begun:.1f} s")

    counts: dict[str, int] = {}
    with world_in(folder, seed) as world:
        timed("prepare", world.prepare)
        with loading(world):
            for world.kills, kind in enumerate(kinds, start=1):
                time.sleep(world.random.uniform(0.3, 2.5))
                timed(f"kill {world.kills} ({kind})", partial(kill, world, kind))
            time.sleep(1)
        timed("changes", lambda: change_once_more(world))
        timed("settle", lambda: settle(world))
        timed("check", lambda: counts.update(check(world)))
    return counts


def main() -> None:
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    seed = random.randrange(10**6)
    print(f"{kills} kills under load, seed {seed} …", flush=True)
    choose = random.Random(seed)
    kinds = [choose.choice(["server"] * 6 + ["everything"] * 2 + ["database"]) for _ in range(kills)]
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        counts = run(Path(folder), kinds, seed, tell=lambda line: print(f"  {line}", flush=True))
    told = ", ".join(f"{count} {what}" for what, count in counts.items())
    by_kind = ", ".join(f"{kinds.count(kind)} of the {kind}" for kind in sorted(set(kinds)))
    print(f"nothing lost, nothing twice: {told}; {by_kind}; {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
