"""Webhooks of schedules: what receivers get, what happens when they fail, and the log of it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from tests.receiver import Received, Receiver
from tests.server import free_port
from tests.wire.clocked import Watched

from meterhouse.apis.meter import facade


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    opened = Receiver()
    yield opened
    opened.close()


def fits(payload: dict[str, Any], shape: str) -> None:
    """The payload is as the contract describes it."""
    schema = {**json.loads(facade.contract.file.read_text()), "$ref": f"#/components/schemas/{shape}"}
    Draft202012Validator(schema).validate(payload)


def schedule(world: Watched, url: str, **given: Any) -> dict[str, Any]:
    made: dict[str, Any] = world.client.create_schedule(
        world.strategy(), url=world.site.url("/phones"), interval_seconds=3600, webhook_url=url, **given
    )
    return made


def log_of(world: Watched, made: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = world.raw.get(
        "/api/webhooks/deliveries", params={"schedule_id": made["id"]}
    ).json()
    return found


class TestStandard:
    def test_every_run_is_told(self, world: Watched, receiver: Receiver) -> None:
        made = schedule(world, receiver.url(), webhook_metadata={"project": "p1"})
        world.move(hours=1)
        world.price(199, 239, 299)
        world.move(hours=1)
        world.site.pages["/phones"] = 500
        world.move(hours=1)
        baseline, changed, failed = (one.json for one in receiver.received)
        newest = world.jobs(made["id"])
        assert [failed["job_id"], changed["job_id"], baseline["job_id"]] == [job["id"] for job in newest]
        assert (baseline["has_changes"], "changes" in baseline) == (False, False)
        assert (changed["status"], changed["item_count"], changed["has_changes"]) == ("completed", 3, True)
        assert changed["results"] == newest[1]["results"]
        assert changed["content_hash"] == newest[1]["content_hash"]
        assert changed["changes"]["new_items"] == [{"title": "Phone B", "price": 239}]
        assert changed["changes"]["removed_items"] == [{"title": "Phone B", "price": 249}]
        (modified,) = changed["changes"]["modified_items"]
        assert modified["fields"] == {"price": {"before": 249, "after": 239}}
        assert (failed["status"], failed["url"]) == ("failed", world.site.url("/phones"))
        assert "500" in failed["error"]
        for payload, shape in ((baseline, "Success"), (changed, "Success"), (failed, "Failure")):
            fits(payload, f"Webhook{shape}Payload")
            assert payload["metadata"] == {"project": "p1"}
            assert payload["schedule_id"] == made["id"]
            assert datetime.fromisoformat(payload["completed_at"])
        assert {entry["status"] for entry in log_of(world, made)} == {"delivered"}

    def test_signatures(self, world: Watched, receiver: Receiver) -> None:
        secret = schedule(world, receiver.url())["webhook_secret"]
        world.move(hours=1)
        (got,) = receiver.received
        assert got.headers["content-type"] == "application/json"
        assert got.headers["user-agent"].startswith("Meterhouse/")
        assert got.headers["x-webhook-secret"] == secret
        assert got.headers["x-webhook-id"] == got.headers["webhook-id"]
        stamped = got.headers["x-webhook-timestamp"].encode() + b"." + got.body
        ours = hmac.new(secret.encode(), stamped, hashlib.sha256).hexdigest()
        assert got.headers["x-webhook-signature"] == f"sha256={ours}"
        key = base64.b64decode(secret.removeprefix("whsec_"))
        signed = got.headers["webhook-id"].encode() + b"." + stamped
        theirs = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        assert got.headers["webhook-signature"] == f"v1,{theirs}"

    def test_a_new_secret_is_used_at_once(self, world: Watched, receiver: Receiver) -> None:
        receiver.statuses = [503]
        made = schedule(world, receiver.url())
        world.move(hours=1)
        new = world.client.regenerate_webhook_secret(made["id"])["webhook_secret"]
        world.move(seconds=10)
        first, second = receiver.received
        assert first.headers["x-webhook-secret"] == made["webhook_secret"]
        assert second.headers["x-webhook-secret"] == new
        assert second.body == first.body

    def test_only_changes_if_wanted(self, world: Watched, receiver: Receiver) -> None:
        asked = {
            "strategy_id": world.strategy(),
            "url": world.site.url("/phones"),
            "interval_seconds": 3600,
            "webhook_url": receiver.url(),
            "webhook_only_changes": True,
        }
        made = world.raw.post("/api/schedules", json=asked).json()
        assert made["webhook_only_changes"] is True
        world.move(hours=1)
        world.price(199, 239, 299)
        world.move(hours=1)
        (told,) = receiver.received
        assert told.json["has_changes"] is True
        path = f"/api/schedules/{made['id']}"
        assert world.raw.patch(path, json={"enabled": True}).json()["webhook_only_changes"] is True
        assert (
            world.raw.patch(path, json={"webhook_only_changes": None}).json()["webhook_only_changes"] is False
        )
        world.move(hours=1)
        assert len(receiver.received) == 2
        for wrong in ("yes", 1):
            refused = world.raw.patch(path, json={"webhook_only_changes": wrong})
            assert refused.json()["detail"] == "webhook_only_changes: must be true or false"

    def test_one_message_per_job(self, world: Watched, receiver: Receiver) -> None:
        urls = [world.site.url("/phones"), world.site.url("/gone")]
        world.client.create_schedule(
            world.strategy(), urls=urls, interval_seconds=60, webhook_url=receiver.url()
        )
        world.move(seconds=61)
        assert sorted(one.json["url"] for one in receiver.received) == sorted(urls)


class TestFailure:
    def test_retries_with_the_same_id_and_body_until_given_up(
        self, world: Watched, receiver: Receiver
    ) -> None:
        receiver.status = 500
        made = schedule(world, receiver.url())
        world.move(hours=1)
        waits = []
        while (entry := log_of(world, made)[0])["status"] == "pending":
            due = datetime.fromisoformat(entry["next_attempt_at"])
            waits.append((due - world.now()).total_seconds())
            world.move_to(due)
        assert waits == [10, 60, 180, 600]
        assert entry["status"] == "failed"
        assert len(receiver.received) == 5
        assert len({one.body for one in receiver.received}) == 1
        assert len({one.headers["webhook-id"] for one in receiver.received}) == 1
        detail = world.raw.get(f"/api/webhooks/deliveries/{entry['id']}").json()
        assert [attempt["status_code"] for attempt in detail["attempt_log"]] == [500] * 5
        assert "500" in detail["attempt_log"][0]["error"]
        receiver.status = 200
        assert world.raw.post(f"/api/webhooks/deliveries/{entry['id']}/resend").status_code == 200
        world.move(seconds=1)
        assert log_of(world, made)[0]["status"] == "delivered"
        assert receiver.received[5].body == receiver.received[0].body
        assert world.raw.get(f"/api/webhooks/deliveries/{uuid.uuid4()}").status_code == 404

    @pytest.mark.parametrize(("status", "final"), [(404, True), (302, True), (408, False), (429, False)])
    def test_what_is_final(self, world: Watched, receiver: Receiver, status: int, final: bool) -> None:
        receiver.status = status
        receiver.headers = {"location": receiver.url("/elsewhere")}
        made = schedule(world, receiver.url())
        world.move(hours=1)
        assert log_of(world, made)[0]["status"] == ("failed" if final else "pending")
        assert [one.path for one in receiver.received] == ["/hook"], "redirects are not followed"

    def test_retry_after_is_heeded(self, world: Watched, receiver: Receiver) -> None:
        receiver.status, receiver.headers = 429, {"retry-after": "120"}
        made = schedule(world, receiver.url())
        world.move(hours=1)
        due = datetime.fromisoformat(log_of(world, made)[0]["next_attempt_at"])
        assert due - world.now() == timedelta(seconds=120)

    def test_a_private_target_is_refused(self, world: Watched) -> None:
        made = schedule(world, "http://10.0.0.1/hook")
        world.move(hours=1)
        (entry,) = log_of(world, made)
        assert entry["status"] == "failed"
        detail = world.raw.get(f"/api/webhooks/deliveries/{entry['id']}").json()
        assert "METERHOUSE_FETCH_ALLOW" in detail["attempt_log"][0]["error"]


class TestFormats:
    @pytest.mark.parametrize("kind", ["slack", "slack_workflow", "discord"])
    def test_people_are_told_of_changes_and_failures(
        self, world: Watched, receiver: Receiver, kind: str
    ) -> None:
        schedule(world, receiver.url(), webhook_type=kind)
        world.move(hours=1)
        assert receiver.received == []
        world.price(199, 239, 299)
        world.move(hours=1)
        world.site.pages["/phones"] = 500
        world.move(hours=1)
        changed, failed = receiver.received
        for got in (changed, failed):
            assert "x-webhook-secret" not in got.headers
            assert world.site.url("/phones") in got.body.decode()
        text = shown(kind, changed)
        assert "Phones changed" in text
        assert "1 new item, 1 removed item" in text
        assert "Phone B, price 239" in text
        assert "Phones failed" in shown(kind, failed)

    def test_emails_wait_in_the_outbox(self, world: Watched) -> None:
        made = schedule(world, "mailto:ops@example.com")
        world.move(hours=1)
        world.price(199, 239, 299)
        world.move(hours=1)
        waiting = world.raw.get("/api/webhooks/outbox").json()
        (email,) = [one for one in waiting if one["schedule_id"] == made["id"]]
        assert email["to"] == "ops@example.com"
        assert email["subject"] == "Phones changed: 1 new item, 1 removed item"
        assert "Phone B" in email["text"]


class TestTestCalls:
    def test_a_receiver_that_answers(self, world: Watched, receiver: Receiver) -> None:
        answer = world.raw.post("/api/webhooks/test", json={"webhook_url": receiver.url()})
        assert answer.json() == {
            "success": True,
            "status_code": 200,
            "message": "Webhook delivered successfully",
        }
        (got,) = receiver.received
        assert (got.json["test"], got.json["status"], got.json["metadata"]) == (True, "completed", None)
        fits(got.json, "WebhookSuccessPayload")

    @pytest.mark.parametrize("kind", ["slack", "slack_workflow", "discord"])
    def test_each_format(self, world: Watched, receiver: Receiver, kind: str) -> None:
        asked = {"webhook_url": receiver.url(), "webhook_type": kind, "webhook_secret": "whsec_c2VjcmV0"}
        assert world.raw.post("/api/webhooks/test", json=asked).json()["success"] is True
        (got,) = receiver.received
        assert "x-webhook-secret" not in got.headers
        assert "Sample item, price 199" in shown(kind, got)

    def test_an_email_without_a_mail_server(self, world: Watched) -> None:
        answer = world.raw.post("/api/webhooks/test", json={"webhook_url": "team@example.com"}).json()
        assert (answer["success"], answer["status_code"]) == (False, 0)
        assert "METERHOUSE_SMTP_URL" in answer["message"]

    def test_receivers_that_do_not(self, world: Watched, receiver: Receiver) -> None:
        receiver.status = 500
        failed = world.raw.post("/api/webhooks/test", json={"webhook_url": receiver.url()})
        assert (failed.status_code, failed.json()["success"], failed.json()["status_code"]) == (
            200,
            False,
            500,
        )
        nobody = f"http://127.0.0.1:{free_port()}/"
        assert world.raw.post("/api/webhooks/test", json={"webhook_url": nobody}).json()["status_code"] == 0
        private = world.raw.post("/api/webhooks/test", json={"webhook_url": "http://10.0.0.1/"}).json()
        assert "METERHOUSE_FETCH_ALLOW" in private["message"]
        assert world.raw.post("/api/webhooks/test", json={}).status_code == 400
        assert world.raw.post("/api/webhooks/test", json={"webhook_url": "nowhere"}).status_code == 422


def shown(kind: str, got: Received) -> str:
    """What a person reads."""
    body = got.json
    if kind == "discord":
        assert body["allowed_mentions"] == {"parse": []}
        return str(body["content"])
    if kind == "slack_workflow":
        assert all(isinstance(value, str) for value in body.values())
        return "\n".join(body.values())
    return str(body["blocks"][0]["text"]["text"])
