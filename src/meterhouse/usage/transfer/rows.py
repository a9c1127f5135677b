"""One event as a row of a file: which fields there are, and how their texts become an event again.

Every format has the same fields. What a file leaves out is filled in as if the event were new; what an export
wrote makes the very same event, so that importing it again changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, cast
from uuid import UUID

import msgspec

from meterhouse.kernel.ids import new_id
from meterhouse.usage.block import EARLIEST, LATEST
from meterhouse.usage.drafts import POLAR_SOURCE
from meterhouse.usage.engine.credits import CREDITED, RESET, read_system_event
from meterhouse.usage.model import Event, Origin

Format = Literal["csv", "jsonl", "parquet"]

REQUIRED = ("id", "source", "type", "subject")
FIELDS = (
    *REQUIRED,
    "time",
    "data",
    "origin",
    "customer_id",
    "member_id",
    "external_member_id",
    "parent_id",
    "uid",
    "ingested_at",
)
ROW_BYTES_MAX = 32 * 1024 * 1024

_MICROSECONDS_EXCEEDED = re.compile(r"\.[0-9]{6}[0-9]*[1-9]")
_read_json = msgspec.json.Decoder(msgspec.Raw).decode


class RowFault(Exception):
    """What is wrong with a row; `field` is empty when it is not one field."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.field = field


@dataclass(frozen=True)
class Row:
    """The fields of one event as texts, and the line (or, in Parquet, the row) that they come from."""

    line: int
    texts: Mapping[str, str]


@dataclass(frozen=True)
class Reception:
    """Under what terms rows become events."""

    organisation_id: UUID
    now: datetime
    may_bring_system_events: bool = False


def event_from_row(row: Row, reception: Reception) -> Event:
    """Make the event that a row describes. Raises `RowFault`."""
    texts = row.texts
    source = texts.get("source", "")
    for name in REQUIRED:
        # Polar lets names and identifiers be empty, and who names a customer by id has no subject.
        may_be_empty = source == POLAR_SOURCE or (name == "subject" and texts.get("customer_id"))
        if not texts.get(name) and not (name in texts and may_be_empty):
            raise RowFault("is required", name)
    for name, text in texts.items():
        _check_text(name, text)
    customer_id = _uuid_text(texts, "customer_id")
    if customer_id and texts["subject"]:
        raise RowFault("must be empty beside a customer_id: an event names its customer one way", "subject")
    now = reception.now
    time = _instant(texts, "time", now.replace(microsecond=0))
    ingested_at = _instant(texts, "ingested_at", now)
    if ingested_at > now:
        raise RowFault("lies in the future", "ingested_at")
    event = Event(
        organisation_id=reception.organisation_id,
        type=texts["type"],
        source=source,
        id=texts["id"],
        subject=texts["subject"],
        time=time,
        ingested_at=ingested_at,
        uid=_uuid("uid", texts["uid"]) if texts.get("uid") else new_id(),
        data=_data(texts.get("data", "")),
        origin=_origin(texts.get("origin", ""), reception),
        customer_id=customer_id,
        member_id=_uuid_text(texts, "member_id"),
        external_member_id=texts.get("external_member_id", ""),
        parent_id=texts.get("parent_id", ""),
    )
    if event.origin == "system" and read_system_event(event) is None:
        text = f"{CREDITED} and {RESET} are the system events that there are, with their own data"
        raise RowFault(text, "origin")
    return event


def _check_text(name: str, text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise RowFault("is not valid Unicode", name) from None


def _instant(texts: Mapping[str, str], name: str, default: datetime) -> datetime:
    text = texts.get(name, "")
    if not text:
        return default
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise RowFault(f"is no RFC 3339 instant: {text[:64]!r}", name) from None
    if instant.tzinfo is None:
        raise RowFault(f"has no offset; write it with Z or +hh:mm: {text[:64]!r}", name)
    if _MICROSECONDS_EXCEEDED.search(text):
        raise RowFault(f"is finer than microseconds: {text[:64]!r}", name)
    try:
        instant = instant.astimezone(UTC)
    except OverflowError:
        instant = datetime.max.replace(tzinfo=UTC)
    if not EARLIEST <= instant <= LATEST:
        raise RowFault("must lie in the years 1900 to 2299", name)
    return instant


def _uuid(name: str, text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise RowFault(f"is no UUID: {text[:64]!r}", name) from None


def _uuid_text(texts: Mapping[str, str], name: str) -> str:
    """A UUID as it is stored, so that looking for it finds it; empty without one."""
    text = texts.get(name, "")
    return str(_uuid(name, text)) if text else ""


def _data(text: str) -> str:
    if not text or text == "null":
        return ""
    try:
        read = bytes(_read_json(text.encode()))
    except msgspec.DecodeError as error:
        raise RowFault(f"is no JSON: {error}", "data") from None
    except RecursionError:
        raise RowFault("nests too deeply", "data") from None
    if read[:1] != b"{":
        raise RowFault("must be a JSON object", "data")
    return read.decode()


def _origin(text: str, reception: Reception) -> Origin:
    if text not in ("", "user", "system"):
        raise RowFault(f"must be user or system, not {text[:64]!r}", "origin")
    if text == "system" and not reception.may_bring_system_events:
        raise RowFault(
            "system events are credits and resets: the key needs the scope customers:write", "origin"
        )
    return cast(Origin, text or "user")


def check_fields(names: list[str]) -> None:
    """Raise `RowFault` for a header with an unknown or repeated name, or without a required one."""
    for name in names:
        if name not in FIELDS:
            raise RowFault(f"unknown column {name[:64]!r}; there are {', '.join(FIELDS)}")
        if names.count(name) > 1:
            raise RowFault(f"the column {name} is there twice")
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        raise RowFault(f"the column {missing[0]} is missing; {', '.join(REQUIRED)} are required")
