"""Turning what goes wrong on a connection into `FetchFailed`, with a reason and a sentence."""

from __future__ import annotations

import ssl
from typing import TypeVar

import httpcore

from meterhouse.platform.fetch.guard import Target
from meterhouse.platform.ports import FetchFailed, FetchReason

HEADER_BYTES_MAX = 65_536
HEADER_FIELDS_MAX = 200

# ValueError: names and headers that the TLS or HTTP layer will not put on the wire.
CONNECTION_ERRORS = (
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.TimeoutException,
    OSError,
    ValueError,
)

E = TypeVar("E", bound=Exception)


def failed(
    target: Target, reason: FetchReason, fault: str, *, retryable: bool = False, **details: object
) -> FetchFailed:
    """Build the error for a target: the sentence names the address, then what happened."""
    return FetchFailed(
        f"{target.url} was not fetched: {fault}.",
        details={"url": target.url, **details},
        retryable=retryable,
        reason=reason,
    )


def from_connection_error(target: Target, error: Exception) -> FetchFailed:
    """Classify an error of the connection. Failures to open it arrive as `FetchFailed` already."""
    cause = error.args[0] if error.args else None
    certificate = _first(ssl.SSLCertVerificationError, error, cause)
    if certificate is not None:
        return failed(target, "tls", f"its certificate is not valid ({certificate.verify_message})")
    tls = _first(ssl.SSLError, error, cause)
    if tls is not None:
        return failed(target, "tls", f"the TLS connection failed ({tls.reason or tls})")
    if isinstance(error, httpcore.TimeoutException):
        return failed(target, "timeout", "the server did not answer in time", retryable=True)
    if isinstance(error, httpcore.ConnectError):
        # Plain connects report themselves; what is left is a handshake that was cut off.
        return failed(target, "tls", "the server ended the connection during the TLS handshake")
    if getattr(cause, "error_status_hint", None) == 431:
        return headers_too_large(target)
    if isinstance(error, httpcore.LocalProtocolError):
        return failed(target, "protocol", f"the request cannot be sent over HTTP ({error})")
    if isinstance(error, httpcore.RemoteProtocolError):
        return failed(target, "protocol", f"the server broke the HTTP protocol ({error})", retryable=True)
    if isinstance(error, (httpcore.NetworkError, OSError)):
        return failed(
            target, "connect", "the connection broke off before the answer was complete", retryable=True
        )
    return failed(target, "protocol", f"the request cannot be sent ({error})")


def headers_too_large(target: Target) -> FetchFailed:
    """Describe an answer whose headers pass the bounds on bytes or number."""
    return failed(
        target,
        "too_large",
        f"its headers are larger than {HEADER_BYTES_MAX} bytes or more than {HEADER_FIELDS_MAX}",
    )


def _first(kind: type[E], *candidates: object) -> E | None:
    return next((c for c in candidates if isinstance(c, kind)), None)
