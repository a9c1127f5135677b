# Generated from _async by generate.py.
"""From a `Call` to its result: sending, time limits, retries, and the words for what goes wrong on the way."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any

import httpx

from .._answer import error_of, result_of
from .._call import Call
from .._config import phases
from .._retries import delay_before_retry
from ..errors import (
    ConnectionFailedError,
    IncompleteResponseError,
    MeterError,
    RequestTimeoutError,
    SetupError,
    UnexpectedResponseError,
)
from .concurrency import sleep

log = logging.getLogger("meter_sdk")

ANSWER_BYTES_MAX = 1 << 30


class Transport:
    """Sends calls through one pooled HTTP client. Copies share that client and differ in options."""

    def __init__(
        self,
        http: httpx.Client,
        base_url: str,
        *,
        timeout_s: float,
        retries: int,
        headers: Mapping[str, str],
        closers: list[Callable[[], None]] | None = None,
    ) -> None:
        self.http = http
        self.base_url = base_url
        self.timeout_s = timeout_s
        self.retries = retries
        self.headers = headers
        self.closers = [] if closers is None else closers
        self._timeout = httpx.Timeout(**phases(timeout_s))

    def copy(
        self,
        *,
        timeout_s: float | None = None,
        retries: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Transport:
        """The same with other options, on the same connections."""
        return Transport(
            self.http,
            self.base_url,
            timeout_s=self.timeout_s if timeout_s is None else timeout_s,
            retries=self.retries if retries is None else retries,
            headers={**self.headers, **(headers or {})},
            closers=self.closers,
        )

    def closing(self) -> None:
        """Run what has to happen before the connections close: buffers deliver what they hold."""
        for close in list(self.closers):
            close()

    def request(self, call: Call) -> Any:
        """The decoded answer. Raises the fitting `MeterError`, after the retries that the call allows."""
        attempt = 0
        while True:
            try:
                return self._once(call)
            except MeterError as error:
                error.attempts = attempt + 1
                delay_s = delay_before_retry(
                    error,
                    attempt=attempt,
                    retries=self.retries,
                    safe=call.safe,
                    sent=getattr(error, "_sent", True),
                    timeout_s=call.timeout_s or self.timeout_s,
                )
                if delay_s is None:
                    raise
                log.info("%s %s is repeated in %.1f s: %s", call.method, call.path, delay_s, error)
            sleep(delay_s)
            attempt += 1

    def _once(self, call: Call) -> Any:
        url = self.base_url + call.path
        deadline = monotonic() + (call.timeout_s or self.timeout_s)
        try:
            response = self.http.send(self._request(call, url), stream=True)
            try:
                content = _content(response, deadline)
            finally:
                response.close()
        except httpx.HTTPError as error:
            raise _failure(error, call, url) from error
        except httpx.InvalidURL as error:
            raise SetupError(f"Request failed: {url} is not an address ({error}).", url=url) from error
        if 200 <= response.status_code < 300:
            content_type = response.headers.get("content-type", "")
            as_text = call.accept is not None and call.accept.startswith("text/")
            return result_of(content, content_type, method=call.method, url=url, as_text=as_text)
        if call.redirects and 300 <= response.status_code < 400:
            return {"location": response.headers.get("location", "")}
        raise error_of(response.status_code, response.headers, content, method=call.method, url=url)

    def _request(self, call: Call, url: str) -> httpx.Request:
        headers = dict(self.headers)
        if call.content is not None:
            headers["Content-Type"] = call.content_type
        if call.accept is not None:
            headers["Accept"] = call.accept
        if call.headers:
            headers.update(call.headers)
        params: Any = call.query or None  # httpx would replace the query of the address by an empty one
        timeout = self._timeout if call.timeout_s is None else httpx.Timeout(**phases(call.timeout_s))
        return self.http.build_request(
            call.method,
            url,
            params=params,
            content=call.content,
            headers=headers,
            timeout=timeout,
        )


def _content(response: httpx.Response, deadline: float) -> bytes:
    """The whole body, within the time and size that an answer may take."""
    chunks: list[bytes] = []
    size = 0
    for chunk in response.iter_bytes():
        chunks.append(chunk)
        size += len(chunk)
        if size > ANSWER_BYTES_MAX:
            raise UnexpectedResponseError("Request failed: the answer is larger than 1 GiB.")
        if monotonic() > deadline:
            raise httpx.ReadTimeout("the answer was still coming when the time was over")
    return b"".join(chunks)


def _failure(error: httpx.HTTPError, call: Call, url: str) -> MeterError:
    """Our error for one of the HTTP library, in one sentence that names the address."""
    reason = " ".join(str(error).split()) or type(error).__name__
    facts: dict[str, Any] = {"method": call.method, "url": url}
    if isinstance(error, httpx.ConnectTimeout):
        failure: MeterError = ConnectionFailedError(f"Request failed: {url} does not accept a connection.", **facts)
    elif isinstance(error, httpx.TimeoutException):
        return RequestTimeoutError(f"Request failed: {call.method} {url} was not answered in time ({reason}).", **facts)
    elif isinstance(error, (httpx.ConnectError, httpx.ProxyError)):
        failure = ConnectionFailedError(f"Request failed: {url} cannot be reached: {reason}.", **facts)
    elif isinstance(error, httpx.UnsupportedProtocol):
        return SetupError(f"Request failed: {reason}", **facts)
    elif isinstance(error, httpx.RemoteProtocolError) and "body" in reason:
        return IncompleteResponseError(f"Request failed: the answer of {url} broke off ({reason}).", **facts)
    elif isinstance(error, httpx.DecodingError):
        return IncompleteResponseError(f"Request failed: {url} sent a body that cannot be decoded.", **facts)
    else:
        return ConnectionFailedError(f"Request failed: the connection to {url} was lost ({reason}).", **facts)
    failure._sent = False  # type: ignore[attr-defined]  # the server cannot have acted
    return failure
