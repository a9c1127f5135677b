"""What can go wrong, sorted by what to do next.

    MeterError
    ├── CallError                 change the call
    │   ├── ArgumentError             refused before anything was sent (also a ValueError)
    │   ├── InvalidRequestError       400, 413, 415, 422 and other 4xx
    │   ├── NotFoundError             404, 410
    │   └── ConflictError             409, 412
    ├── SetupError                change the key, the address or the server
    │   ├── AuthenticationError       no key, or 401
    │   ├── PermissionDeniedError     403
    │   ├── RedirectError             3xx
    │   ├── NotSupportedError         501, 405: this server does not have the operation (yet)
    │   └── UnexpectedResponseError   a page of a proxy or another program, not an answer of the API
    ├── TemporaryError            try again later
    │   ├── RateLimitError            429
    │   ├── ServerError               408, 425 and 5xx
    │   ├── ConnectionFailedError     no connection, or it was lost before the answer
    │   ├── RequestTimeoutError       no answer in time
    │   └── IncompleteResponseError   the answer broke off
    ├── OutcomeError              look at the job or the run
    │   ├── JobFailedError, JobCancelledError
    │   ├── WorkflowFailedError, WorkflowCancelledError
    │   └── WaitTimeoutError          it has not ended in time; it goes on
    ├── DeliveryError             look at the events that were not delivered
    │   ├── BufferFullError
    │   └── BufferClosedError
    └── WebhookVerificationError  do not trust this request

`str(error)` is one sentence. `status`, `code`, `body`, `request_id` and `retryable` say the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class MeterError(Exception):
    """Anything that this package raises on its own account.

    `retryable` says whether the same call may succeed later without a change. It does not say that a repeat is
    harmless: a creation that timed out may have happened.
    """

    retryable = False

    def __init__(
        self,
        message: str = "",
        *,
        status: int | None = None,
        code: str | None = None,
        body: Any = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        method: str | None = None,
        url: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.body = body
        self.request_id = request_id
        self.retry_after = retry_after
        self.method = method
        self.url = url
        self.headers: Mapping[str, str] = headers or {}
        self.attempts = 1

    def __reduce__(self) -> tuple[Any, ...]:
        # Exceptions travel between processes by their arguments; ours are keywords and would be lost.
        return type(self), (str(self),), self.__dict__

    def __repr__(self) -> str:
        facts = [repr(str(self))]
        facts += [
            f"{name}={getattr(self, name)!r}"
            for name in ("status", "code", "request_id")
            if getattr(self, name) is not None
        ]
        return f"{type(self).__name__}({', '.join(facts)})"


class CallError(MeterError):
    """The call itself is wrong: change it."""


class ArgumentError(CallError, ValueError):
    """An argument was refused before anything was sent."""


class InvalidRequestError(CallError):
    """The server refused the request as malformed or meaningless (400, 413, 415, 422, other 4xx)."""


class NotFoundError(CallError):
    """There is no such object for this key (404, 410)."""


class ConflictError(CallError):
    """The object's state does not allow it (409, 412)."""


class SetupError(MeterError):
    """The key, the address or the server is wrong: the same call fails until that is changed."""


class AuthenticationError(SetupError):
    """The key is missing, wrong or revoked (401)."""


class PermissionDeniedError(SetupError):
    """The key is valid but may not do this (403)."""


class RedirectError(SetupError):
    """The address answers with a redirect (3xx), which is never followed: the key would travel along."""


class NotSupportedError(SetupError):
    """This server does not have the operation, or not yet (501, 405)."""


class UnexpectedResponseError(SetupError):
    """The answer is not one of the API: a proxy's page, another program, or broken JSON."""


class TemporaryError(MeterError):
    """The same call may succeed later."""

    retryable = True


class RateLimitError(TemporaryError):
    """Too many requests (429). `retry_after` is in seconds."""


class ServerError(TemporaryError):
    """The server failed or is overloaded (408, 425, 5xx)."""


class ConnectionFailedError(TemporaryError):
    """There was no connection, or it was lost before an answer came."""


class RequestTimeoutError(TemporaryError):
    """No complete answer in time."""


class IncompleteResponseError(TemporaryError):
    """The connection was closed in the middle of the answer."""


class OutcomeError(MeterError):
    """The call worked; what was waited for did not. `result` is the job or run as last seen."""

    def __init__(self, message: str = "", *, result: Any = None, **facts: Any) -> None:
        super().__init__(message, **facts)
        self.result = result


class JobFailedError(OutcomeError):
    """The job ended as failed."""


class JobCancelledError(OutcomeError):
    """The job was cancelled."""


class WorkflowFailedError(OutcomeError):
    """The workflow run ended as failed."""


class WorkflowCancelledError(OutcomeError):
    """The workflow run was cancelled."""


class WaitTimeoutError(OutcomeError):
    """It has not ended within the time given. It goes on; wait again under the same id."""

    retryable = True


class DeliveryError(MeterError):
    """Buffered events were not delivered. `events` holds those that the server refused, `pending` counts the rest."""

    def __init__(self, message: str = "", *, events: list[Any] | None = None, pending: int = 0, **facts: Any) -> None:
        super().__init__(message, **facts)
        self.events = events or []
        self.pending = pending


class BufferFullError(DeliveryError):
    """The buffer holds as many events as it may, and was told to raise rather than to wait."""

    retryable = True


class BufferClosedError(DeliveryError):
    """The buffer was closed; it takes no more events."""


class WebhookVerificationError(MeterError):
    """The request does not prove that it comes from the server."""


__all__ = [
    "ArgumentError",
    "AuthenticationError",
    "BufferClosedError",
    "BufferFullError",
    "CallError",
    "ConflictError",
    "ConnectionFailedError",
    "DeliveryError",
    "IncompleteResponseError",
    "InvalidRequestError",
    "JobCancelledError",
    "JobFailedError",
    "MeterError",
    "NotFoundError",
    "NotSupportedError",
    "OutcomeError",
    "PermissionDeniedError",
    "RateLimitError",
    "RedirectError",
    "RequestTimeoutError",
    "ServerError",
    "SetupError",
    "TemporaryError",
    "UnexpectedResponseError",
    "WaitTimeoutError",
    "WebhookVerificationError",
    "WorkflowCancelledError",
    "WorkflowFailedError",
]
