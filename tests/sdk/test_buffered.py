"""Buffered events: all of them, once each, whatever happens to the server; bounded; flushed at the end."""

from __future__ import annotations

import asyncio
import json
import threading
import time
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.sdk.ours import run, sdk
from tests.server import ServerProcess

errors = sdk.errors
EVENT = {"source": "s", "type": "t", "subject": "x"}


class Sink:
    """A transport that acts as the server: counts ids, refuses what it is told to refuse."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.batches: list[bytes] = []
        self.answers: list[Any] = []
        self.gate = threading.Event()
        self.gate.set()
        self.transport = httpx.MockTransport(self._answer)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        assert self.gate.wait(20)
        assert request.headers["content-type"] == "application/cloudevents-batch+json"
        self.batches.append(request.content)
        answer = self.answers.pop(0) if self.answers else 204
        if isinstance(answer, Exception):
            raise answer
        events = json.loads(request.content)
        if any(event["type"] == "bad" for event in events):
            answer = 400
        if answer == 204:
            self.ids += [event["id"] for event in events]
        return (
            httpx.Response(answer, json={"detail": "No, because."}) if answer != 204 else httpx.Response(204)
        )


@pytest.fixture
def sink() -> Sink:
    return Sink()


@pytest.fixture
def client(sink: Sink) -> Iterator[Any]:
    opened = sdk.MeterClient("sk_live_x", "http://server.test", transport=sink.transport)
    yield opened
    sink.gate.set()
    opened._transport.closers.clear()
    opened.close()


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib import import_module

    for kind in ("_sync", "_async"):
        monkeypatch.setattr(import_module(f"{sdk.__name__}.{kind}.buffer"), "backoff", lambda *_, **__: 0.01)


class TestDelivery:
    def test_batches_of_the_size_asked_for(self, client: Any, sink: Sink) -> None:
        with client.events.buffered(max_items=10, max_seconds=60) as buffer:
            for number in range(25):
                buffer.add(EVENT, data={"n": number})
        assert sorted(len(json.loads(batch)) for batch in sink.batches) == [5, 10, 10]
        assert len(set(sink.ids)) == 25
        assert (buffer.delivered, buffer.pending) == (25, 0)

    def test_an_event_does_not_wait_longer_than_asked_for(self, client: Any, sink: Sink) -> None:
        buffer = client.events.buffered(max_items=1000, max_seconds=0.05)
        buffer.add(EVENT)
        deadline = time.monotonic() + 5
        while not sink.ids and time.monotonic() < deadline:
            time.sleep(0.01)
        assert len(sink.ids) == 1
        buffer.close()

    def test_what_is_missing_is_added_when_it_is_added(self, client: Any, sink: Sink) -> None:
        with client.events.buffered(source="shop") as buffer:
            data = {"n": 1}
            buffer.add(type="t", subject="x", data=data)
            data["n"] = 2
            buffer.add({"id": "mine", **EVENT})
        first, second = json.loads(sink.batches[0])
        assert first["source"] == "shop"
        assert first["data"] == {"n": 1}
        assert first["time"].endswith("Z")
        assert first["specversion"] == "1.0"
        assert (second["id"], second["source"]) == ("mine", "s")

    def test_the_same_bytes_until_they_are_acknowledged(self, client: Any, sink: Sink) -> None:
        sink.answers = [httpx.ConnectError("down"), 503, httpx.ReadTimeout("slow"), 429, 500, 204]
        with client.events.buffered(senders=1) as buffer:
            for _ in range(3):
                buffer.add(EVENT)
        assert len(sink.batches) == 6
        assert len(set(sink.batches)) == 1
        assert len(set(sink.ids)) == 3

    def test_from_many_threads(self, client: Any, sink: Sink) -> None:
        with client.events.buffered(max_items=50, max_pending=200) as buffer:
            threads = [
                threading.Thread(target=lambda: [buffer.add(EVENT) for _ in range(500)], daemon=True)
                for _ in range(8)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(30)
        assert len(sink.ids) == len(set(sink.ids)) == 4000

    def test_from_many_tasks(self, sink: Sink) -> None:
        async def produce(buffer: Any) -> None:
            for _ in range(500):
                await buffer.add(EVENT)

        async def main() -> int:
            async with sdk.AsyncMeterClient("k", "http://server.test", transport=sink.transport) as client:
                async with client.events.buffered(max_items=50, max_pending=200) as buffer:
                    await asyncio.gather(*[produce(buffer) for _ in range(8)])
                delivered: int = buffer.delivered
                return delivered

        assert asyncio.run(main()) == 4000
        assert len(sink.ids) == len(set(sink.ids)) == 4000

    def test_the_end_of_the_event_loop_flushes(self, sink: Sink) -> None:
        async def main() -> None:
            client = sdk.AsyncMeterClient("k", "http://server.test", transport=sink.transport)
            buffer = client.events.buffered(max_seconds=60)
            for _ in range(7):
                await buffer.add(EVENT)
            await asyncio.sleep(0.01)

        asyncio.run(main())
        assert len(sink.ids) == 7

    def test_flush_waits_for_what_was_added(self, client: Any, sink: Sink) -> None:
        buffer = client.events.buffered(max_items=2, max_seconds=60)
        buffer.add_many([EVENT] * 5)
        buffer.flush()
        assert len(sink.ids) == 5
        buffer.add(EVENT)
        buffer.close()
        assert len(sink.ids) == 6

    def test_closing_the_client_delivers_the_rest(self, client: Any, sink: Sink) -> None:
        buffer = client.events.buffered(max_seconds=60)
        buffer.add(EVENT)
        client.close()
        assert len(sink.ids) == 1
        with pytest.raises(errors.BufferClosedError):
            buffer.add(EVENT)
        buffer.close()


class TestBounds:
    def test_full_and_told_to_raise(self, client: Any, sink: Sink) -> None:
        sink.gate.clear()
        buffer = client.events.buffered(max_items=2, max_pending=5, when_full="raise")
        for _ in range(5):
            buffer.add(EVENT)
        with pytest.raises(errors.BufferFullError, match="5 events") as raised:
            buffer.add(EVENT)
        assert raised.value.pending == 5
        sink.gate.set()
        buffer.flush()
        buffer.add(EVENT)
        buffer.close()
        assert len(sink.ids) == 6

    def test_full_and_told_to_block(self, client: Any, sink: Sink) -> None:
        sink.gate.clear()
        buffer = client.events.buffered(max_items=2, max_pending=4)
        added: list[int] = []

        def produce() -> None:
            for number in range(12):
                buffer.add(EVENT)
                added.append(number)

        thread = threading.Thread(target=produce, daemon=True)
        thread.start()
        thread.join(0.3)
        assert len(added) == 4
        assert buffer.pending == 4
        sink.gate.set()
        thread.join(10)
        buffer.close()
        assert len(sink.ids) == 12

    def test_a_block_counts_bytes_too(self, client: Any, sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
        from importlib import import_module

        monkeypatch.setattr(import_module(f"{sdk.__name__}._sync.buffer"), "PENDING_BYTES_MAX", 10_000)
        sink.gate.clear()
        buffer = client.events.buffered(when_full="raise")
        buffer.add(EVENT, data={"text": "x" * 9_000})
        with pytest.raises(errors.BufferFullError):
            buffer.add(EVENT, data={"text": "x" * 9_000})
        sink.gate.set()
        buffer.close()

    @pytest.mark.parametrize(
        "options",
        [{"max_items": 0}, {"max_seconds": 0}, {"max_pending": 0}, {"when_full": "drop"}, {"senders": 0}],
    )
    def test_options_are_checked(self, client: Any, options: dict[str, Any]) -> None:
        with pytest.raises(errors.ArgumentError):
            client.events.buffered(**options)


class TestTrouble:
    def test_one_bad_event_does_not_hold_the_others_back(self, client: Any, sink: Sink) -> None:
        told: list[Any] = []
        buffer = client.events.buffered(on_reject=told.append)
        for number in range(20):
            buffer.add(source="s", type="bad" if number == 7 else "t", subject="x", id=str(number))
        with pytest.raises(errors.DeliveryError, match="refused 1 events") as raised:
            buffer.close()
        assert [refused["event"]["id"] for refused in raised.value.events] == ["7"]
        assert isinstance(told[0]["error"], errors.InvalidRequestError)
        assert sorted(sink.ids, key=int) == [str(number) for number in range(20) if number != 7]
        assert buffer.rejected == 1

    @pytest.mark.parametrize("status", [401, 403, 404, 302])
    def test_a_wrong_key_is_told_and_nothing_hangs(self, client: Any, sink: Sink, status: int) -> None:
        sink.answers = [status] * 10
        kind = {
            401: errors.AuthenticationError,
            403: errors.PermissionDeniedError,
            404: errors.NotFoundError,
            302: errors.RedirectError,
        }[status]
        buffer = client.events.buffered()
        buffer.add(EVENT)
        for call in (buffer.flush, lambda: buffer.add(EVENT), buffer.close):
            with pytest.raises(kind):
                call()
        assert buffer.pending == 1

    def test_flush_and_close_end_while_the_server_is_down(self, client: Any, sink: Sink) -> None:
        sink.answers = [httpx.ConnectError("down")] * 100_000
        buffer = client.events.buffered()
        buffer.add(EVENT)
        with pytest.raises(errors.DeliveryError, match="not acknowledged"):
            buffer.flush(timeout=0.2)
        started = time.monotonic()
        with pytest.raises(errors.DeliveryError, match="given up") as raised:
            buffer.close(timeout=0.2)
        assert raised.value.pending == 1
        assert time.monotonic() - started < 5

    def test_a_wrong_event_is_refused_where_it_is_added(self, client: Any, sink: Sink) -> None:
        with client.events.buffered() as buffer:
            for wrong in ({"type": "t"}, {**EVENT, "data": {"n": float("inf")}}, {**EVENT, "data": [1]}):
                with pytest.raises(errors.ArgumentError):
                    buffer.add(wrong)
        assert sink.batches == []


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    process = ServerProcess(tmp_path_factory.mktemp("own") / "data")
    try:
        yield process.start()
    finally:
        process.close()


class TestAgainstTheServer:
    def counted(self, server: ServerProcess, slug: str) -> float:
        with sdk.MeterClient(server.api_key, server.base_url) as client:
            value: float = client.meters.query_json(slug)["data"][0]["value"]
            return value

    def meter(self, server: ServerProcess) -> str:
        slug = f"m_{uuid.uuid4().hex[:12]}"
        with sdk.MeterClient(server.api_key, server.base_url) as client:
            client.meters.create({"slug": slug, "eventType": slug, "aggregation": "COUNT"})
        return slug

    @pytest.mark.parametrize("kind", ["threads", "tasks"])
    def test_across_a_kill_and_a_restart(self, own_server: ServerProcess, kind: str) -> None:
        slug = self.meter(own_server)
        stop = threading.Event()
        options = {"max_items": 100, "max_seconds": 0.05, "max_pending": 5000, "source": "s"}
        sent = 0

        def from_threads() -> None:
            nonlocal sent
            client = sdk.MeterClient(own_server.api_key, own_server.base_url)
            with client, client.events.buffered(**options) as buffer:
                while not stop.is_set():
                    buffer.add(type=slug, subject="x", data={"n": sent})
                    sent += 1
                    time.sleep(0.0001)

        async def from_tasks() -> None:
            nonlocal sent
            client = sdk.AsyncMeterClient(own_server.api_key, own_server.base_url)
            async with client, client.events.buffered(**options) as buffer:
                while not stop.is_set():
                    await buffer.add(type=slug, subject="x", data={"n": sent})
                    sent += 1
                    await asyncio.sleep(0.0001)

        producer = threading.Thread(
            target=from_threads if kind == "threads" else lambda: asyncio.run(from_tasks())
        )
        producer.start()
        time.sleep(1)
        own_server.kill()
        time.sleep(0.5)
        own_server.start()
        time.sleep(0.5)
        stop.set()
        producer.join(60)
        assert not producer.is_alive()
        assert sent > 100
        assert self.counted(own_server, slug) == sent

    def test_the_end_of_the_program_flushes(self, server: ServerProcess) -> None:
        slug = self.meter(server)
        done = run(
            "from meter_sdk import MeterClient\n"
            "buffer = MeterClient().events.buffered(max_seconds=60, source='s')\n"
            f"buffer.add_many({{'type': {slug!r}, 'subject': 'x'}} for _ in range(2500))\n",
            METER_API_KEY=server.api_key,
            METER_BASE_URL=server.base_url,
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert self.counted(server, slug) == 2500

    def test_the_end_of_the_program_does_not_hang(self) -> None:
        done = run(
            "from meter_sdk import MeterClient\n"
            "buffer = MeterClient('k', 'http://127.0.0.1:1').events.buffered(source='s', exit_timeout=0.5)\n"
            "buffer.add(type='t', subject='x')\n",
            timeout_s=30,
        )
        assert done.returncode == 0
        assert "1 events were not delivered" in done.stderr
