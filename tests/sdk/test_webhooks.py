"""Verifying webhooks of both kinds."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sdk.ours import sdk

webhooks = sdk.webhooks
Refused = sdk.errors.WebhookVerificationError
BODY = b'{"job_id": "1", "status": "completed"}'
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def signed(
    body: bytes = BODY, *, secret: str = SECRET, at: int | None = None, prefix: str = "webhook"
) -> dict[str, str]:
    timestamp = int(time.time()) if at is None else at
    return {
        f"{prefix}-id": "msg_1",
        f"{prefix}-timestamp": str(timestamp),
        f"{prefix}-signature": webhooks.sign_standard(secret, "msg_1", timestamp, body),
    }


class TestSecretHeader:
    @pytest.mark.parametrize("name", ["X-Webhook-Secret", "x-webhook-secret", "HTTP_X_WEBHOOK_SECRET"])
    def test_the_right_one(self, name: str) -> None:
        assert webhooks.verify_secret({name: "whsec_a"}, BODY, "whsec_a") == {
            "job_id": "1",
            "status": "completed",
        }

    def test_while_it_is_being_replaced(self) -> None:
        assert webhooks.verify_secret({"x-webhook-secret": "new"}, BODY.decode(), ["old", "new"])

    @pytest.mark.parametrize(
        ("headers", "secret", "words"),
        [
            ({}, "a", "has no X-Webhook-Secret"),
            ({"X-Webhook-Secret": "b"}, "a", "is not the one"),
            ({"X-Webhook-Secret": ""}, "a", "is not the one"),
            ({"X-Webhook-Secret": "ü"}, "a", "is not the one"),
            ({"X-Webhook-Secret": ""}, "", "no secret"),
            ({"X-Webhook-Secret": "a"}, [], "no secret"),
        ],
    )
    def test_anything_else(self, headers: dict[str, str], secret: Any, words: str) -> None:
        with pytest.raises(Refused, match=words):
            webhooks.verify_secret(headers, BODY, secret)

    def test_a_body_that_is_no_json(self) -> None:
        with pytest.raises(Refused, match="no JSON"):
            webhooks.verify_secret({"X-Webhook-Secret": "a"}, b"<html>", "a")


class TestStandardWebhooks:
    def test_the_example_of_the_specification(self) -> None:
        body = b'{"test": 2432232314}'
        signature = webhooks.sign_standard(SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
        assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

    @pytest.mark.parametrize("prefix", ["webhook", "Webhook", "svix"])
    def test_a_good_one(self, prefix: str) -> None:
        assert webhooks.verify_standard(signed(prefix=prefix), BODY, SECRET)["job_id"] == "1"

    def test_several_signatures_and_secrets(self) -> None:
        headers = signed()
        headers["webhook-signature"] = f"v1a,xxxx v1,AAAA {headers['webhook-signature']}"
        assert webhooks.verify_standard(headers, BODY, ["whsec_AAAA", SECRET])

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"webhook-id": "msg_2"}, "No signature"),
            ({"webhook-signature": "v1,AAAA"}, "No signature"),
            ({"webhook-signature": "garbage"}, "No signature"),
            ({"webhook-signature": ""}, "no webhook-signature"),
            ({"webhook-timestamp": "soon"}, "no number"),
            ({"webhook-timestamp": "1614265330"}, "replay"),
        ],
    )
    def test_anything_else(self, change: dict[str, str], words: str) -> None:
        with pytest.raises(Refused, match=words):
            webhooks.verify_standard({**signed(), **change}, BODY, SECRET)

    def test_old_and_future_ones(self) -> None:
        for at in (int(time.time()) - 301, int(time.time()) + 320):
            with pytest.raises(Refused, match="replay"):
                webhooks.verify_standard(signed(at=at), BODY, SECRET)
        assert webhooks.verify_standard(signed(at=int(time.time()) - 301), BODY, SECRET, tolerance=600)

    def test_a_malformed_secret(self) -> None:
        with pytest.raises(Refused, match="base64"):
            webhooks.verify_standard(signed(), BODY, "whsec_%%%")

    @given(st.binary(min_size=1), st.integers(min_value=0))
    def test_any_changed_byte_is_noticed(self, noise: bytes, place: int) -> None:
        at = place % len(BODY)
        changed = BODY[:at] + noise + BODY[at + 1 :]
        if changed == BODY:
            assert webhooks.verify_standard(signed(), changed, SECRET)
            return
        with pytest.raises(Refused):
            webhooks.verify_standard(signed(), changed, SECRET)
