"""Where the client talks to and how patiently: arguments first, then the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ._arguments import integer, seconds
from .errors import ArgumentError, AuthenticationError, SetupError

VERSION = "1.0.0"


class DefaultAddress(str):
    """An address that nobody asked for: equal to the published default, but to be told from it."""

    __slots__ = ()


DEFAULT_BASE_URL = DefaultAddress("https://api.meter.sh")
DEFAULT_TIMEOUT_S = 60.0
DEFAULT_RETRIES = 2

GENERATE_TIMEOUT_S = 600.0
EXECUTE_TIMEOUT_S = 3660.0
"""The server gives a job an hour; the answer should win the race against our own limit."""

CONNECT_TIMEOUT_S_MAX = 10.0
SILENCE_S_MAX = 300.0
"""A server at work sends white space every few seconds, so a long silence means that it is gone."""


def api_key_of(given: str | None) -> str:
    """The key from the argument or from `METER_API_KEY`. Raises `AuthenticationError` without one."""
    key = given if given is not None else os.environ.get("METER_API_KEY", "")
    if not isinstance(key, str):
        raise ArgumentError(f"api_key must be a text, not {type(key).__name__}.")
    key = key.strip()
    if not key:
        raise AuthenticationError("There is no API key: pass api_key or set METER_API_KEY.")
    if not key.isascii() or not key.isprintable() or " " in key:
        raise AuthenticationError("The API key has characters that no key has; was it copied whole?")
    return key


def base_url_of(given: str | None) -> str:
    """The address from the argument, from `METER_BASE_URL`, or the default; without a trailing slash."""
    if given is None or isinstance(given, DefaultAddress):  # whoever writes that address out means it
        given = os.environ.get("METER_BASE_URL") or str(DEFAULT_BASE_URL)
    if not isinstance(given, str):
        raise ArgumentError(f"base_url must be a text, not {type(given).__name__}.")
    address = given.strip().rstrip("/")
    if not address.lower().startswith(("http://", "https://")):
        raise SetupError(f"base_url must begin with http:// or https://, unlike {given!r}.")
    return address


def timeout_of(given: float | None, default: float) -> float:
    """The time-out of a call in seconds."""
    return default if given is None else seconds(given, "timeout")


def retries_of(given: int) -> int:
    """How often a failed call is repeated at most."""
    if integer(given, "max_retries") < 0:
        raise ArgumentError(f"max_retries must not be negative, unlike {given}.")
    return given


def headers_of(api_key: str, more: Mapping[str, str] | None) -> dict[str, str]:
    """The headers of every call."""
    headers = {"Authorization": f"Bearer {api_key}", "User-Agent": f"meterhouse-client/{VERSION}"}
    headers.update(more or {})
    return headers


def phases(timeout_s: float) -> dict[str, Any]:
    """The time-outs of a call's phases, within the time for the whole."""
    return {
        "connect": min(timeout_s, CONNECT_TIMEOUT_S_MAX),
        "read": min(timeout_s, SILENCE_S_MAX),
        "write": min(timeout_s, SILENCE_S_MAX),
        "pool": min(timeout_s, SILENCE_S_MAX),
    }
