"""Everything that can be wrong on the way raises the error that fits: one sentence, in bounded time."""

from __future__ import annotations

import pickle
import socket
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.sdk.conftest import RawServer
from tests.sdk.ours import sdk
from tests.server import ServerProcess, free_port

errors = sdk.errors
HTML = b"<!doctype html>\n<html><body><h1>Welcome to the proxy</h1>\n<p>Sign in</p></body></html>"


def answer(head: str, body: bytes, *, length: int | None = None) -> bytes:
    return (
        f"HTTP/1.1 {head}\r\ncontent-length: {len(body) if length is None else length}\r\n\r\n".encode()
        + body
    )


def raised_by(call: Callable[[], Any], kind: type[Exception]) -> Any:
    """The error, which is one line that ends soon and says something."""
    started = time.monotonic()
    with pytest.raises(kind) as caught:
        call()
    assert time.monotonic() - started < 10
    error = caught.value
    assert type(error) is kind
    assert isinstance(error, sdk.MeterError)
    sentence = str(error)
    assert "\n" not in sentence
    assert 10 < len(sentence) < 700
    return error


def client_of(base_url: str, **options: Any) -> Any:
    return sdk.MeterClient("sk_live_x", base_url, **options)


Start = Callable[..., RawServer]


class TestOnTheNetwork:
    def test_a_wrong_key(self, server: ServerProcess) -> None:
        client = client_of(server.base_url)
        error = raised_by(client.list_jobs, errors.AuthenticationError)
        assert (error.status, error.code) == (401, "invalid_key")
        assert error.request_id
        assert str(error) == "API error: Invalid or missing API key"
        assert raised_by(client.meters.list, errors.AuthenticationError).code == "invalid_key"
        assert raised_by(client.polar.meters.list, errors.AuthenticationError).code == "invalid_token"

    def test_the_server_is_down(self) -> None:
        error = raised_by(
            client_of(f"http://127.0.0.1:{free_port()}").list_jobs, errors.ConnectionFailedError
        )
        assert error.retryable
        assert error.attempts == 3
        assert "cannot be reached" in str(error)

    def test_the_name_is_unknown(self) -> None:
        raised_by(client_of("http://nowhere.invalid", max_retries=0).list_jobs, errors.ConnectionFailedError)

    def test_no_answer_in_time(self, raw_server: Start) -> None:
        client = client_of(raw_server(b"", stays=True).base_url, timeout=0.3, max_retries=1)
        error = raised_by(client.list_jobs, errors.RequestTimeoutError)
        assert error.attempts == 2
        assert error.retryable

    def test_an_answer_that_never_ends(self) -> None:
        """Each byte comes in time, the whole does not: the limit is on the call, not on the gaps."""
        import threading

        listener = socket.create_server(("127.0.0.1", 0))

        def drip() -> None:
            connection, _ = listener.accept()
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
            try:
                while True:
                    connection.sendall(b" ")
                    time.sleep(0.05)
            except OSError:
                connection.close()

        threading.Thread(target=drip, daemon=True).start()
        client = client_of(f"http://127.0.0.1:{listener.getsockname()[1]}", timeout=0.4, max_retries=0)
        raised_by(client.list_jobs, errors.RequestTimeoutError)
        listener.close()

    def test_half_an_answer(self, raw_server: Start) -> None:
        server = raw_server(answer("200 OK", b'[{"job_id": "1"', length=900))
        error = raised_by(client_of(server.base_url).list_jobs, errors.IncompleteResponseError)
        assert error.attempts == 3
        assert server.connections == 3

    def test_half_an_answer_to_a_creation_is_not_repeated(self, raw_server: Start) -> None:
        server = raw_server(answer("200 OK", b"{", length=900))
        client = client_of(server.base_url)
        raised_by(lambda: client.create_job("s", "http://x"), errors.IncompleteResponseError)
        assert server.connections == 1

    def test_an_answer_cut_before_its_head(self, raw_server: Start) -> None:
        raised_by(client_of(raw_server(b"HTTP/1.1 200").base_url).list_jobs, errors.ConnectionFailedError)

    def test_something_that_is_not_http(self, raw_server: Start) -> None:
        raised_by(
            client_of(raw_server(b"220 mail ready\r\n").base_url).list_jobs, errors.ConnectionFailedError
        )

    @pytest.mark.parametrize("call", ["list_jobs", "events.list", "meters.query_csv"])
    def test_a_page_of_a_proxy(self, raw_server: Start, call: str) -> None:
        server = raw_server(answer("200 OK\r\ncontent-type: text/html", HTML))
        client = client_of(server.base_url)
        calls = {
            "list_jobs": client.list_jobs,
            "events.list": client.events.list,
            "meters.query_csv": lambda: client.meters.query_csv("m"),
        }
        error = raised_by(calls[call], errors.UnexpectedResponseError)
        assert "HTML page" in str(error)
        assert error.body == HTML.decode()

    def test_an_error_page_of_a_proxy(self, raw_server: Start) -> None:
        server = raw_server(answer("502 Bad Gateway\r\ncontent-type: text/html", HTML))
        error = raised_by(client_of(server.base_url, max_retries=0).list_jobs, errors.ServerError)
        assert "502 Bad Gateway" in str(error)
        assert "<" not in str(error)

    def test_broken_json(self, raw_server: Start) -> None:
        server = raw_server(answer("200 OK\r\ncontent-type: application/json", b'{"a": '))
        error = raised_by(client_of(server.base_url).list_jobs, errors.UnexpectedResponseError)
        assert "broken JSON" in str(error)

    @pytest.mark.parametrize(
        "status", ["301 Moved", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"]
    )
    def test_a_redirect(self, raw_server: Start, status: str) -> None:
        server = raw_server(answer(f"{status}\r\nlocation: https://server.test/api/jobs", b""))
        error = raised_by(client_of(server.base_url).list_jobs, errors.RedirectError)
        assert "https://server.test/api/jobs" in str(error)
        assert "base_url" in str(error)
        assert server.connections == 1

    def test_too_many_requests(self, raw_server: Start) -> None:
        server = raw_server(answer("429 Too Many Requests\r\nretry-after: 3600", b'{"detail": "Slow down."}'))
        error = raised_by(client_of(server.base_url).list_jobs, errors.RateLimitError)
        assert error.retry_after == 3600
        assert error.retryable
        assert server.connections == 1, "an hour is the caller's decision"

    def test_a_server_without_the_operation(self, server: ServerProcess) -> None:
        client = client_of(server.base_url, headers=server.headers)
        error = raised_by(client.billing.list_invoices, errors.NotSupportedError)
        assert (error.status, error.code) == (501, "not_implemented")
        assert "listInvoices" in str(error)

    def test_a_server_without_the_route(self, server: ServerProcess) -> None:
        client = client_of(f"{server.base_url}/api", headers=server.headers)
        raised_by(lambda: client.compare_manifest("j", [{}], ["a"]), errors.NotSupportedError)


class TestWhichError:
    @pytest.mark.parametrize(
        ("status", "kind", "base"),
        [
            (400, errors.InvalidRequestError, errors.CallError),
            (401, errors.AuthenticationError, errors.SetupError),
            (403, errors.PermissionDeniedError, errors.SetupError),
            (404, errors.NotFoundError, errors.CallError),
            (405, errors.NotSupportedError, errors.SetupError),
            (409, errors.ConflictError, errors.CallError),
            (410, errors.NotFoundError, errors.CallError),
            (412, errors.ConflictError, errors.CallError),
            (413, errors.InvalidRequestError, errors.CallError),
            (418, errors.InvalidRequestError, errors.CallError),
            (422, errors.InvalidRequestError, errors.CallError),
            (429, errors.RateLimitError, errors.TemporaryError),
            (500, errors.ServerError, errors.TemporaryError),
            (503, errors.ServerError, errors.TemporaryError),
            (599, errors.ServerError, errors.TemporaryError),
        ],
    )
    def test_by_status(self, wire: Any, client: Any, status: int, kind: Any, base: Any) -> None:
        wire.answers = [httpx.Response(status, json={"detail": "No, because."})] * 3
        error = raised_by(lambda: client.get_job("j"), kind)
        assert isinstance(error, base)
        assert error.retryable is issubclass(kind, errors.TemporaryError)
        assert str(error) == "API error: No, because."

    @pytest.mark.parametrize(
        ("body", "sentence", "code", "request_id"),
        [
            ({"detail": "Gone", "code": "not_found", "request_id": "r1"}, "Gone", "not_found", "r1"),
            (
                {
                    "title": "Bad",
                    "detail": "slug: is\nrequired",
                    "instance": "urn:request:r2",
                    "extensions": {"code": "c"},
                },
                "slug: is required",
                "c",
                "r2",
            ),
            ({"error": "ResourceNotFound", "detail": "Not found"}, "Not found", "ResourceNotFound", None),
            (
                {
                    "error": "RequestValidationError",
                    "detail": [
                        {"loc": ["body", "name"], "msg": "Field required"},
                        {"loc": ["body", "x"], "msg": "Bad"},
                    ],
                },
                "body.name: Field required; body.x: Bad",
                "RequestValidationError",
                None,
            ),
            (
                {"error": "invalid_token", "error_description": "No such token"},
                "No such token",
                "invalid_token",
                None,
            ),
            ({"detail": [{"msg": f"m{n}"} for n in range(9)]}, "m0; m1; m2; m3; m4; and 4 more", None, None),
            ({}, "the server answered 400 Bad Request without a reason.", None, None),
            ([], "the server answered 400 Bad Request without a reason.", None, None),
            (None, "the server answered 400 Bad Request without a reason.", None, None),
        ],
    )
    def test_the_words_of_every_interface(
        self, wire: Any, client: Any, body: Any, sentence: str, code: str | None, request_id: str | None
    ) -> None:
        wire.answers = [httpx.Response(400, json=body)]
        error = raised_by(lambda: client.get_job("j"), errors.InvalidRequestError)
        assert str(error) == f"API error: {sentence}"
        assert (error.code, error.request_id) == (code, request_id)
        assert error.body == body
        assert (error.method, error.url) == ("GET", "http://server.test/api/jobs/j")

    def test_long_reasons_are_shortened(self, wire: Any, client: Any) -> None:
        wire.answers = [httpx.Response(400, json={"detail": "x" * 10_000})]
        assert len(str(raised_by(lambda: client.get_job("j"), errors.InvalidRequestError))) < 650

    def test_errors_travel_between_processes(self, wire: Any, client: Any) -> None:
        wire.answers = [httpx.Response(404, json={"detail": "Gone", "code": "not_found"})]
        error = raised_by(lambda: client.get_job("j"), errors.NotFoundError)
        error.headers = dict(error.headers)
        copy = pickle.loads(pickle.dumps(error))
        assert (str(copy), copy.status, copy.code) == (str(error), 404, "not_found")
        assert "status=404" in repr(copy)

    def test_the_tree_is_the_one_in_the_docstring(self) -> None:
        for name in errors.__all__:
            assert name in errors.__doc__, name
            assert issubclass(getattr(errors, name), errors.MeterError)


class TestRetries:
    def test_a_read_is_repeated(self, wire: Any, client: Any, no_pauses: list[float]) -> None:
        wire.answers = [httpx.Response(503), httpx.ReadError("reset"), [{"job_id": "1"}]]
        assert client.list_jobs() == [{"job_id": "1"}]
        assert len(no_pauses) == 2
        assert 0 < no_pauses[0] <= 0.25
        assert 0 < no_pauses[1] <= 0.5

    def test_a_creation_is_not(self, wire: Any, client: Any) -> None:
        wire.answers = [httpx.Response(503)]
        with pytest.raises(errors.ServerError):
            client.create_job("s", "http://x")
        assert len(wire.requests) == 1

    def test_a_creation_that_was_never_sent_is(self, wire: Any, client: Any) -> None:
        wire.answers = [httpx.ConnectError("refused"), httpx.Response(429), {"job_id": "1"}]
        assert client.create_job("s", "http://x") == {"job_id": "1"}

    @pytest.mark.parametrize(("value", "pause"), [("3", 3.0), ("0", 0.0)])
    def test_retry_after_is_heeded(
        self, wire: Any, client: Any, no_pauses: list[float], value: str, pause: float
    ) -> None:
        wire.answers = [httpx.Response(429, headers={"retry-after": value}), {}]
        client.get_job("j")
        assert no_pauses == [pause]

    def test_retry_after_may_be_a_date(self, wire: Any, client: Any) -> None:
        from email.utils import formatdate

        wire.answers = [
            httpx.Response(429, headers={"retry-after": formatdate(time.time() + 100, usegmt=True)})
        ]
        with pytest.raises(errors.RateLimitError) as raised:
            client.get_job("j")
        assert 95 < raised.value.retry_after <= 100

    def test_generation_is_repeated_under_one_key(self, wire: Any, client: Any) -> None:
        wire.answers = [
            httpx.ReadError("reset"),
            httpx.Response(409, headers={"retry-after": "5"}),
            {"strategy_id": "s"},
        ]
        client.generate_strategy("http://x", "titles", "X")
        keys = {request.headers["idempotency-key"] for request in wire.requests}
        assert len(wire.requests) == 3
        assert len(keys) == 1
        client.generate_strategy("http://x", "titles", "X")
        assert wire.requests[-1].headers["idempotency-key"] not in keys
        client.extract_content("http://x", "X", idempotency_key="mine")
        assert wire.requests[-1].headers["idempotency-key"] == "mine"

    def test_a_long_call_that_timed_out_is_not_started_again(self, wire: Any, client: Any) -> None:
        wire.answers = [httpx.ReadTimeout("slow")]
        with pytest.raises(errors.RequestTimeoutError):
            client.generate_strategy("http://x", "titles", "X")
        assert len(wire.requests) == 1

    def test_they_can_be_switched_off(self, wire: Any, client: Any) -> None:
        wire.answers = [httpx.Response(503)]
        with pytest.raises(errors.ServerError):
            client.with_options(max_retries=0).list_jobs()
        assert len(wire.requests) == 1


class TestTimeLimits:
    def read_timeout(self, wire: Any) -> float:
        limits: dict[str, float] = wire.requests[-1].extensions["timeout"]
        assert limits["connect"] <= 10
        return limits["read"]

    def test_each_call_has_its_own(self, wire: Any, client: Any) -> None:
        client.get_job("j")
        assert self.read_timeout(wire) == 60
        client.get_job("j", request_timeout=5)
        assert self.read_timeout(wire) == 5
        client.with_options(timeout=7).get_job("j")
        assert self.read_timeout(wire) == 7
        client.billing.list_invoices(request_timeout=2)
        assert self.read_timeout(wire) == 2

    def test_long_work_has_a_long_one(self, wire: Any, client: Any) -> None:
        client.execute_job("s", "http://x")
        assert self.read_timeout(wire) == 300
        client.generate_strategy("http://x", "titles", "X")
        assert self.read_timeout(wire) == 300
        client.execute_job("s", "http://x", request_timeout=30)
        assert self.read_timeout(wire) == 30

    @pytest.mark.parametrize("value", [0, -1, float("inf"), float("nan"), "5", True])
    def test_they_must_be_positive(self, value: Any) -> None:
        with pytest.raises(errors.ArgumentError):
            sdk.MeterClient("k", "http://x", timeout=value)
