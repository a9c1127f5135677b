"""The rules of webhooks: types, secrets, signatures, back-off, and formats within their limits."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterhouse.kernel.errors import Invalid
from meterhouse.webhooks import engine, formats
from meterhouse.webhooks.model import Endpoint, Notice, WebhookType


def test_a_known_signature() -> None:
    """The example of the Standard Webhooks specification."""
    headers = engine.headers_of(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        b'{"test": 2432232314}',
        secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        timestamp=1614265330,
    )
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_secrets_are_made_once_and_kept() -> None:
    endpoint, made = engine.endpoint_of("https://a.example/", kind=None, secret=None, metadata=None)
    assert made is not None
    assert (endpoint.secret, len(base64.b64decode(made.removeprefix("whsec_")))) == (made, 32)
    assert engine.endpoint_of("https://a.example/", kind=None, secret="mine", metadata={})[1] is None
    assert engine.signing_key("not base64!") == b"not base64!"


@pytest.mark.parametrize(
    ("given_values", "field"),
    [
        ({"url": "nowhere"}, "webhook_url"),
        ({"url": "ftp://a.example/"}, "webhook_url"),
        ({"url": "https://a b/"}, "webhook_url"),
        ({"url": "https://a.example:99999/"}, "webhook_url"),
        ({"url": "https://a.example/" + "x" * 5000}, "webhook_url"),
        ({"url": "https://a.example/", "kind": "email"}, "webhook_url"),
        ({"url": "mailto:a@b.example,c@d.example"}, "webhook_url"),
        ({"url": "https://a.example/", "secret": "line\r\nbreak"}, "webhook_secret"),
        ({"url": "https://a.example/", "secret": "ü"}, "webhook_secret"),
    ],
)
def test_refusals_name_their_field(given_values: dict[str, str], field: str) -> None:
    wanted: dict[str, str | None] = {"kind": None, "secret": None, **given_values}
    with pytest.raises(Invalid) as refused:
        engine.endpoint_of(str(wanted["url"]), kind=wanted["kind"], secret=wanted["secret"], metadata=None)
    assert refused.value.issues[0].path == (field,)


def test_a_host_is_told_by_name_and_port() -> None:
    hosts = [
        engine.host_of(Endpoint(url, engine.detect_type(url)))
        for url in ("https://A.example/x", "https://a.example:8443/", "http://u:p@a.example/", "a@b.example")
    ]
    assert hosts == ["a.example", "a.example:8443", "a.example", "email"]


def test_back_off() -> None:
    waits = [engine.retry_after(attempts) for attempts in range(1, 6)]
    assert [wait and wait.total_seconds() for wait in waits] == [10, 60, 180, 600, None]
    longest = engine.retry_after(1, wanted_s=10**8)
    assert longest is not None
    assert longest.total_seconds() == 600


@given(st.text(), st.text(), st.lists(st.text(max_size=5000), max_size=12), st.sampled_from(WebhookType))
def test_every_message_fits_its_receiver(
    title: str, summary: str, lines: list[str], kind: WebhookType
) -> None:
    notice = Notice({"status": "completed"}, title, "https://page.example/", summary, [("New", lines)])
    endpoint = Endpoint("ops@example.com" if kind is WebhookType.EMAIL else "https://a.example/", kind)
    body = json.loads(formats.body_of(endpoint, notice))
    if kind is WebhookType.SLACK:
        assert len(body["blocks"][0]["text"]["text"]) <= 3000
    if kind is WebhookType.DISCORD:
        assert len(body["content"]) <= 2000
    if kind is WebhookType.EMAIL:
        assert "\n" not in body["subject"]
