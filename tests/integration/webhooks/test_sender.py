"""The sender: nobody waits for a receiver that hangs, nothing is lost, nothing is sent by two at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from sqlalchemy import text

from meterhouse.identity.service import ensure_organisation
from meterhouse.kernel.clock import TestClock
from meterhouse.kernel.ids import new_id
from meterhouse.platform.ports import Fetched, FetchLimits, Mail, MailFailed
from meterhouse.platform.postgres import PostgresDatabase
from meterhouse.webhooks import retention as retentions
from meterhouse.webhooks import sender as senders
from meterhouse.webhooks import service
from meterhouse.webhooks.model import (
    Attempt,
    Delivery,
    DeliveryFilter,
    Endpoint,
    Notice,
    Subject,
    WebhookType,
)
from meterhouse.webhooks.retention import Retention
from meterhouse.webhooks.send import Carriers
from meterhouse.webhooks.sender import WebhookSender

FAST, HANGING = "https://fast.example/hook", "https://hanging.example/hook"


@dataclass
class FakeReceivers:
    """`ports.Fetcher` that answers at once, or never for the host that hangs."""

    got: list[str] = field(default_factory=list)
    release: asyncio.Event = field(default_factory=asyncio.Event)
    at_once: dict[str, int] = field(default_factory=dict)
    most_at_once: int = 0

    async def fetch(
        self,
        url: str,
        *,
        method: str = "GET",
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
        limits: FetchLimits | None = None,
    ) -> Fetched:
        host = str(urlsplit(url).hostname)
        self.at_once[host] = self.at_once.get(host, 0) + 1
        self.most_at_once = max(self.most_at_once, self.at_once[host])
        if host.startswith("hanging"):
            await self.release.wait()
        self.at_once[host] -= 1
        self.got.append((headers or {})["webhook-id"])
        return Fetched(url, 200, {}, b"")


@dataclass
class FakeMailServer:
    """`ports.Mailer` that refuses with `failures`, one after another, then takes everything."""

    failures: list[MailFailed] = field(default_factory=list)
    taken: list[Mail] = field(default_factory=list)

    async def send(self, mail: Mail) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.taken.append(mail)


async def word(subjects: Sequence[Subject]) -> list[Notice | None]:
    return [Notice({"subject": one.id}, "Title", "https://page.example/", "Summary") for one in subjects]


@dataclass
class Bench:
    database: PostgresDatabase
    clock: TestClock
    receivers: FakeReceivers
    sender: WebhookSender
    organisation_id: UUID

    async def announce(self, url: str, count: int = 1, kind: WebhookType = WebhookType.STANDARD) -> UUID:
        owner = new_id()
        async with self.database.begin() as connection:
            for _ in range(count):
                await service.announce(
                    connection,
                    organisation_id=self.organisation_id,
                    source="test",
                    subject_id=new_id(),
                    owner_id=owner,
                    endpoint=Endpoint(url, kind, "whsec_c2VjcmV0"),
                    now=self.clock.now(),
                )
        return owner

    async def deliveries(self, owner: UUID) -> list[Delivery]:
        async with self.database.begin() as connection:
            return await service.list_deliveries(
                connection,
                organisation_id=self.organisation_id,
                wanted=DeliveryFilter(owner_id=owner),
                limit=10_000,
                offset=0,
            )

    async def attempts(self, owner: UUID) -> list[Attempt]:
        (delivery,) = await self.deliveries(owner)
        async with self.database.begin() as connection:
            return await service.list_attempts(connection, delivery_id=delivery.id)

    async def statuses(self, owner: UUID) -> dict[str, int]:
        found = await self.deliveries(owner)
        statuses = [str(delivery.status) for delivery in found]
        return {status: statuses.count(status) for status in set(statuses)}


@pytest.fixture
async def bench(database: PostgresDatabase) -> AsyncIterator[Bench]:
    clock, receivers = TestClock(datetime(2030, 1, 1, tzinfo=UTC)), FakeReceivers()
    async with database.begin() as connection:
        await connection.execute(text("DELETE FROM webhook_deliveries"))
        organisation_id = await ensure_organisation(connection, now=clock.now())
    sender = WebhookSender(database, Carriers(receivers), clock, {"test": word})
    yield Bench(database, clock, receivers, sender, organisation_id)
    receivers.release.set()
    await sender.close()


async def test_a_receiver_that_hangs_delays_nobody_else(bench: Bench) -> None:
    hanging = await bench.announce(HANGING, 100)
    fast = await bench.announce(FAST, 600)
    started = time.monotonic()
    assert await bench.sender.find_due(bench.clock.now()) == 2
    while (await bench.statuses(fast)) != {"delivered": 600}:
        assert time.monotonic() - started < 6
        await asyncio.sleep(0.05)
    assert await bench.statuses(hanging) == {"pending": 100}
    assert bench.receivers.at_once["hanging.example"] == senders.PER_HOST_MAX
    assert bench.receivers.most_at_once <= senders.PER_HOST_MAX
    bench.receivers.release.set()
    await bench.sender.drain()
    assert await bench.statuses(hanging) == {"delivered": 100}
    assert len(bench.receivers.got) == len(set(bench.receivers.got)) == 700


async def test_what_a_dead_process_had_in_hand_is_sent_again(bench: Bench) -> None:
    owner = await bench.announce(HANGING)
    await bench.sender.find_due(bench.clock.now())
    await asyncio.sleep(0.2)
    await bench.sender.close()
    other = WebhookSender(bench.database, Carriers(bench.receivers), bench.clock, {"test": word})
    bench.receivers.release.set()
    assert await other.find_due(bench.clock.now()) == 0, "its lease has not run out"
    bench.clock.move_to(bench.clock.now() + senders.LEASE)
    assert await other.find_due(bench.clock.now()) == 1
    await other.drain()
    assert await bench.statuses(owner) == {"delivered": 1}


async def test_two_senders_share_the_work(bench: Bench) -> None:
    owner = await bench.announce(FAST, 200)
    other = WebhookSender(bench.database, Carriers(bench.receivers), bench.clock, {"test": word})
    await asyncio.gather(bench.sender.find_due(bench.clock.now()), other.find_due(bench.clock.now()))
    await asyncio.gather(bench.sender.drain(), other.drain())
    assert await bench.statuses(owner) == {"delivered": 200}
    assert len(bench.receivers.got) == len(set(bench.receivers.got)) == 200


async def test_many_hosts_take_turns(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(senders, "HOSTS_MAX", 3)
    owners = [await bench.announce(f"https://fast{number}.example/") for number in range(7)]
    rounds = 0
    while await bench.sender.find_due(bench.clock.now()):
        await bench.sender.drain()
        rounds += 1
    assert rounds == 3
    assert [await bench.statuses(owner) for owner in owners] == [{"delivered": 1}] * 7


async def test_a_fault_of_ours_is_tried_again_and_given_up(bench: Bench) -> None:
    async def broken(subjects: Sequence[Subject]) -> list[Notice | None]:
        raise RuntimeError("no words")

    sender = WebhookSender(bench.database, Carriers(bench.receivers), bench.clock, {"test": broken})
    owner = await bench.announce(FAST)
    for _ in range(5):
        await sender.find_due(bench.clock.now())
        await sender.drain()
        bench.clock.move_to(bench.clock.now() + timedelta(minutes=11))
    assert await bench.statuses(owner) == {"failed": 1}
    assert bench.receivers.got == []


async def test_a_message_without_words_keeps_no_other(bench: Bench) -> None:
    async def stumbling(subjects: Sequence[Subject]) -> list[Notice | None]:
        if bad in [one.metadata and one.metadata["of"] for one in subjects]:
            raise RuntimeError("no words for this one")
        return await word(subjects)

    sender = WebhookSender(bench.database, Carriers(bench.receivers), bench.clock, {"test": stumbling})
    owners = [await bench.announce(FAST, 3) for _ in range(2)]
    (bad, *_) = [str(one.id) for one in await bench.deliveries(owners[0])]
    async with bench.database.begin() as connection:
        await connection.execute(
            text("UPDATE webhook_deliveries SET metadata = json_build_object('of', id::text)")
        )
    await sender.find_due(bench.clock.now())
    await sender.drain()
    assert await bench.statuses(owners[0]) == {"delivered": 2, "pending": 1}
    assert await bench.statuses(owners[1]) == {"delivered": 3}


async def test_what_is_gone_is_not_told(bench: Bench) -> None:
    async def gone(subjects: Sequence[Subject]) -> list[Notice | None]:
        return [None for _ in subjects]

    sender = WebhookSender(bench.database, Carriers(bench.receivers), bench.clock, {"test": gone})
    owner = await bench.announce(FAST)
    await sender.find_due(bench.clock.now())
    await sender.drain()
    assert await bench.statuses(owner) == {"failed": 1}


class TestEmail:
    def sender(self, bench: Bench, server: FakeMailServer | None) -> WebhookSender:
        return WebhookSender(bench.database, Carriers(bench.receivers, server), bench.clock, {"test": word})

    async def test_what_the_mail_server_takes_is_delivered(self, bench: Bench) -> None:
        server = FakeMailServer([MailFailed("The mail server: it answers 451.", reply_code=451)])
        sender = self.sender(bench, server)
        owner = await bench.announce("mailto:team@example.com", kind=WebhookType.EMAIL)
        for _ in range(2):
            await sender.find_due(bench.clock.now())
            await sender.drain()
            bench.clock.move_to(bench.clock.now() + timedelta(seconds=11))
        (delivery,) = await bench.deliveries(owner)
        (mail,) = server.taken
        assert (mail.id, mail.to, mail.subject) == (str(delivery.id), "team@example.com", "Title: Summary")
        assert (delivery.status, bench.receivers.got) == ("delivered", [])
        assert [one.status_code for one in await bench.attempts(owner)] == [451, 250]

    async def test_a_sample_is_sent_once(self, bench: Bench) -> None:
        refusal = MailFailed("It answers 451.", reply_code=451)
        carriers = Carriers(bench.receivers, server := FakeMailServer([refusal]))
        endpoint = Endpoint("team@example.com", WebhookType.EMAIL)
        (notice,) = await word([Subject(new_id())])
        assert notice is not None
        results = [
            await service.send_test(carriers, endpoint, notice, now=bench.clock.now()) for _ in range(2)
        ]
        assert [(one.succeeded, one.status_code) for one in results] == [(False, 451), (True, 250)]
        assert [mail.subject for mail in server.taken] == ["Title: Summary"]

    async def test_an_address_that_is_refused_for_good_is_not_tried_again(self, bench: Bench) -> None:
        server = FakeMailServer([MailFailed("It answers 550.", reply_code=550, is_final=True)])
        sender = self.sender(bench, server)
        owner = await bench.announce("team@example.com", kind=WebhookType.EMAIL)
        await sender.find_due(bench.clock.now())
        await sender.drain()
        assert await bench.statuses(owner) == {"failed": 1}
        assert (await bench.attempts(owner))[0].error == "It answers 550."

    async def test_what_waited_in_the_outbox_is_sent_when_asked_for(self, bench: Bench) -> None:
        owner = await bench.announce("team@example.com", kind=WebhookType.EMAIL)
        without = self.sender(bench, None)
        await without.find_due(bench.clock.now())
        await without.drain()
        assert await bench.statuses(owner) == {"outbox": 1}
        assert await bench.attempts(owner) == []
        server = FakeMailServer()
        (delivery,) = await bench.deliveries(owner)
        async with bench.database.begin() as connection:
            await service.resend(
                connection,
                organisation_id=bench.organisation_id,
                delivery_id=delivery.id,
                now=bench.clock.now(),
            )
        sender = self.sender(bench, server)
        await sender.find_due(bench.clock.now())
        await sender.drain()
        assert await bench.statuses(owner) == {"delivered": 1}
        assert len(server.taken) == 1


async def test_messages_are_deleted_some_time_after_they_ended(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retentions, "DELETED_AT_ONCE_MAX", 3)
    old = await bench.announce(FAST, 4)
    letter = await bench.announce("team@example.com", kind=WebhookType.EMAIL)
    waiting = await bench.announce(HANGING)
    await bench.sender.find_due(bench.clock.now())
    while (await bench.statuses(old), await bench.statuses(letter)) != ({"delivered": 4}, {"outbox": 1}):
        await asyncio.sleep(0.01)
    scan = Retention(bench.database, timedelta(days=30)).scans["webhooks.retention"]
    bench.clock.move_to(bench.clock.now() + timedelta(days=30))
    assert await scan(bench.clock.now()) == 0
    bench.clock.move_to(bench.clock.now() + timedelta(seconds=1))
    assert [await scan(bench.clock.now()) for _ in range(3)] == [3, 2, 0]
    assert (await bench.statuses(old), await bench.statuses(letter)) == ({}, {})
    assert await bench.statuses(waiting) == {"pending": 1}
    async with bench.database.begin() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM webhook_attempts")) == 0
