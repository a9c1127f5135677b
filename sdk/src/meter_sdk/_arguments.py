"""Argument checks before the wire: a mistake is told at the line that made it, without a request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from .errors import ArgumentError

INTERVAL_SECONDS_MIN = 60
WEBHOOK_TYPES = ("standard", "slack", "slack_workflow", "discord", "email")
SCRAPER_TYPES = ("css", "api", "content")
JOB_STATUSES = ("pending", "running", "completed", "failed", "cancelled")


def segment(value: Any, name: str) -> str:
    """An id or key as one segment of a path. Empty ones would address the whole collection."""
    if isinstance(value, str):
        text = value
    elif hasattr(value, "hex") and hasattr(value, "int"):  # a UUID, without importing the module
        text = str(value)
    else:
        raise ArgumentError(f"{name} must be a text, not {type(value).__name__}.")
    if not text.strip():
        raise ArgumentError(f"{name} must not be empty.")
    if text in (".", ".."):
        raise ArgumentError(f"{name} must be an id or a key, not {text!r}.")
    return text if text.isalnum() and text.isascii() else quote(text, safe="")


def identifier(value: Any, name: str) -> str:
    """An id in a body or a query."""
    segment(value, name)
    return str(value)


def text(value: Any, name: str, *, may_be_empty: bool = False) -> str:
    """A text. Raises `ArgumentError` for others, and for empty ones unless they are allowed."""
    if not isinstance(value, str):
        raise ArgumentError(f"{name} must be a text, not {type(value).__name__}.")
    if not may_be_empty and not value.strip():
        raise ArgumentError(f"{name} must not be empty.")
    return value


def page_url(value: Any, name: str = "url") -> str:
    """The address of a page."""
    address = text(value, name)
    if not address.lower().startswith(("http://", "https://")):
        raise ArgumentError(f"{name} must begin with http:// or https://, unlike {address!r}.")
    return address


def page_urls(values: Any, name: str = "urls") -> list[str]:
    """The addresses of pages: at least one, and not one text, which would be taken letter by letter."""
    if isinstance(values, (str, bytes, Mapping)) or not isinstance(values, Iterable):
        raise ArgumentError(f"{name} must be a list of addresses.")
    addresses = [page_url(value, f"{name}[{index}]") for index, value in enumerate(values)]
    if not addresses:
        raise ArgumentError(f"{name} must hold at least one address.")
    return addresses


def one_page_source(url: Any, urls: Any, *, required: bool = True) -> dict[str, Any]:
    """Exactly one of `url` and `urls`, as body fields."""
    if url is not None and urls is not None:
        raise ArgumentError("Give either url or urls, not both.")
    if url is not None:
        return {"url": page_url(url)}
    if urls is not None:
        return {"urls": page_urls(urls)}
    if required:
        raise ArgumentError("Give either url or urls.")
    return {}


def one_timing(interval_seconds: Any, cron_expression: Any, *, required: bool = True) -> dict[str, Any]:
    """Exactly one of an interval and a cron expression, as body fields."""
    if interval_seconds is not None and cron_expression is not None:
        raise ArgumentError("Give either interval_seconds or cron_expression, not both.")
    if interval_seconds is not None:
        return {"interval_seconds": interval(interval_seconds)}
    if cron_expression is not None:
        if len(text(cron_expression, "cron_expression").split()) != 5:
            raise ArgumentError("cron_expression must have five fields, like '0 9 * * *'.")
        return {"cron_expression": cron_expression}
    if required:
        raise ArgumentError("Give either interval_seconds or cron_expression.")
    return {}


def interval(value: Any) -> int:
    """An interval in seconds, of at least a minute."""
    whole = integer(value, "interval_seconds")
    if whole < INTERVAL_SECONDS_MIN:
        raise ArgumentError(f"interval_seconds must be at least {INTERVAL_SECONDS_MIN}, not {whole}.")
    return whole


def integer(value: Any, name: str) -> int:
    """An integer. `True` is none."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise ArgumentError(f"{name} must be an integer, not {type(value).__name__}.")
    return value


def page(limit: Any, offset: Any) -> dict[str, int]:
    """`limit` and `offset` as query fields."""
    if integer(limit, "limit") < 1:
        raise ArgumentError(f"limit must be at least 1, not {limit}.")
    if integer(offset, "offset") < 0:
        raise ArgumentError(f"offset must not be negative, unlike {offset}.")
    return {"limit": limit, "offset": offset}


def flag(value: Any, name: str) -> bool:
    """A boolean."""
    if not isinstance(value, bool):
        raise ArgumentError(f"{name} must be True or False, not {value!r}.")
    return value


def choice(value: Any, name: str, choices: Sequence[str]) -> str:
    """One of a few words."""
    if value not in choices:
        raise ArgumentError(f"{name} must be one of {', '.join(choices)}, not {value!r}.")
    return str(value)


def mapping(value: Any, name: str) -> Mapping[str, Any]:
    """A mapping, as JSON objects are written."""
    if not isinstance(value, Mapping):
        raise ArgumentError(f"{name} must be a mapping, not {type(value).__name__}.")
    return value


def mapping_or_none(value: Any, name: str) -> None:
    """A mapping or nothing."""
    if value is not None:
        mapping(value, name)


def webhook(
    *, url: Any = None, metadata: Any = None, secret: Any = None, kind: Any = None, needs_url: bool = True
) -> dict[str, Any]:
    """The webhook fields of a creation. Raises if one of them is given without an address."""
    extras = {"webhook_metadata": metadata, "webhook_secret": secret, "webhook_type": kind}
    fields = {name: value for name, value in extras.items() if value is not None}
    if url is None:
        if fields and needs_url:
            raise ArgumentError(f"{next(iter(fields))} needs webhook_url.")
        return fields
    mapping_or_none(metadata, "webhook_metadata")
    if kind is not None:
        choice(kind, "webhook_type", WEBHOOK_TYPES)
    return {"webhook_url": text(url, "webhook_url"), **fields}


def seconds(value: Any, name: str) -> float:
    """A length of time: positive and finite."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ArgumentError(f"{name} must be a number of seconds, not {type(value).__name__}.")
    if not 0 < value < float("inf"):
        raise ArgumentError(f"{name} must be a positive number of seconds, not {value}.")
    return float(value)
