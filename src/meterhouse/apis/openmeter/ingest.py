"""From the bytes of an ingest request to rows for the store: the hot path, so without the schema layer.

One pass by a compiled decoder reads and checks everything except the time's range and what `data` is; a
second, slower pass names the faults of a request that is refused. All or nothing: one bad event refuses
its whole batch, and producers repeat with the same ids.

Stated choices: an attribute may have up to 4,096 characters. A body of `application/json` is an array when
it starts with `[`. `specversion` may be any non-empty text. A time after 2299 is refused, one at or before
1970-01-01T00:00:00Z is dropped silently, and the zero time 0001-01-01T00:00:00Z means "now".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from meterhouse.apis.faults import MalformedBody, UnsupportedMediaType
from meterhouse.kernel.errors import Invalid, Issue
from meterhouse.kernel.ids import new_ids_bytes
from meterhouse.usage.block import LATEST, EventRow, Identity, microseconds

SINGLE = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
EITHER = "application/json"

ATTRIBUTE_CHARS_MAX = 4096
ISSUES_MAX = 100

_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=ATTRIBUTE_CHARS_MAX)]


class CloudEvent(msgspec.Struct, gc=False):
    """The attributes that are kept or checked; extension attributes are skipped."""

    id: _Name
    source: _Name
    specversion: _Name
    type: _Name
    subject: _Name
    time: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    data: msgspec.Raw = msgspec.Raw()
    datacontenttype: Literal["application/json"] | None = None
    dataschema: str | None = None


class _TimeText(msgspec.Struct, gc=False):
    time: str | None = None


_decode_one = msgspec.json.Decoder(CloudEvent).decode
_decode_many = msgspec.json.Decoder(list[CloudEvent]).decode
_decode_raw = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_any = msgspec.json.Decoder(msgspec.Raw).decode
_decode_time_texts = msgspec.json.Decoder(list[_TimeText]).decode

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ZERO = datetime(1, 1, 1, tzinfo=UTC)
_LATEST = microseconds(LATEST)
_FRACTION = re.compile(r"\.\d+")
_PLACE = re.compile(r" - at `\$(?:\[\.\.\.\])?\.?(\w*).*`\Z", re.DOTALL)
_MISSING = re.compile(r"missing required field `(\w+)`")


def rows_from_wire(
    content_type: str | None, body: bytes, organisation_id: UUID, received_at: datetime
) -> list[EventRow]:
    """Read a request. Events at or before the epoch are left out, so the list may be shorter or empty.

    Raises `UnsupportedMediaType`, `MalformedBody` for what is no JSON, and `Invalid` with one issue for
    each bad event, whose path holds its index (in an array) and the attribute.
    """
    is_batch = _is_batch(content_type, body)
    events = _decode(body, is_batch)
    if not events:
        raise Invalid("No events were sent.", code="no_events", issues=[Issue((), "must not be empty")])
    if b".999999" in body:
        _cut_fractions(events, body, is_batch)
    return _rows(events, organisation_id, received_at, is_batch)


def _decode(body: bytes, is_batch: bool) -> list[CloudEvent]:
    try:
        if not body.isascii():
            str(body, "utf-8")  # the decoder does not look inside `data`
        try:
            return _decode_many(body) if is_batch else [_decode_one(body)]
        except msgspec.ValidationError:
            raise _invalid(_faults(body, is_batch)) from None
    except UnicodeDecodeError as error:
        raise MalformedBody("The body is not UTF-8 text.", offset=error.start) from None
    except RecursionError:
        raise MalformedBody("The body nests too deeply.") from None
    except msgspec.DecodeError as error:
        raise MalformedBody(f"The body is not valid JSON: {error}.") from None


def _is_batch(content_type: str | None, body: bytes) -> bool:
    media_type = (content_type or "").partition(";")[0].strip().lower()
    if media_type == EITHER:
        return body.lstrip(b" \t\r\n")[:1] == b"["
    if media_type in (SINGLE, BATCH):
        return media_type == BATCH
    raise UnsupportedMediaType(f"invalid content type: {media_type[:100] or 'none'}; send {EITHER}")


def _cut_fractions(events: Sequence[CloudEvent], body: bytes, is_batch: bool) -> None:
    """Take whole seconds from the text: the decoder rounds a seventh digit, which may carry a second over."""
    texts = _decode_time_texts(body if is_batch else b"[" + body + b"]")
    for event, text in zip(events, texts, strict=True):
        if text.time is not None and event.time is not None:
            event.time = msgspec.convert(_FRACTION.sub("", text.time), datetime)


def _rows(
    events: Sequence[CloudEvent], organisation_id: UUID, received_at: datetime, is_batch: bool
) -> list[EventRow]:
    """Build the rows; the last two checks are made here because they need the values."""
    received = microseconds(received_at)
    times = _times(events, received - received % 1_000_000)
    documents = [bytes(event.data) for event in events]
    if max(times) > _LATEST or {document[:1] for document in documents} != {b"{"}:
        documents = _checked(times, documents, is_batch)
    keys = Identity(organisation_id).keys([(event.source, event.id) for event in events])
    organisation = organisation_id.bytes
    return [
        (key, organisation, event.type, event.subject, time, event.source, event.id, uid,
         "user", "", "", "", "", received, document)
        for key, event, time, uid, document in zip(
            keys, events, times, new_ids_bytes(len(events)), documents, strict=True
        )
        if time > 0
    ]  # fmt: skip


def _times(events: Iterable[CloudEvent], default: int) -> list[int]:
    """Microseconds since 1970 in whole seconds, without the division that `microseconds` needs for each."""
    times = []
    for event in events:
        when = event.time
        if when is None or when == _ZERO:
            times.append(default)
        else:
            since = when - _EPOCH
            times.append((since.days * 86_400 + since.seconds) * 1_000_000)
    return times


def _checked(times: Sequence[int], documents: Sequence[bytes], is_batch: bool) -> list[bytes]:
    """The documents, empty where there is none. Raises `Invalid` for late times and for what is no object."""
    issues = []
    for index, (time, document) in enumerate(zip(times, documents, strict=True)):
        if time > _LATEST:
            issues.append(_issue(index, is_batch, "time", "The time lies after the year 2299."))
        if time > 0 and document not in (b"", b"null") and document[:1] != b"{":
            issues.append(_issue(index, is_batch, "data", "Expected `object | null`"))
    if issues:
        raise _invalid(issues)
    return [document if document != b"null" else b"" for document in documents]


def _issue(index: int, is_batch: bool, attribute: str, message: str, code: str = "value_error") -> Issue:
    path: tuple[str | int, ...] = (index,) if is_batch else ()
    return Issue((*path, attribute) if attribute else path, message, code)


def _invalid(issues: Sequence[Issue]) -> Invalid:
    first = issues[0]
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first.path)
    more = f" (and {len(issues) - 1} more)" if len(issues) > 1 else ""
    text = f"{where.lstrip('.') or 'body'}: {first.message}{more}"
    return Invalid(text, issues=list(issues[:ISSUES_MAX]))


def _faults(body: bytes, is_batch: bool) -> list[Issue]:
    """Find the first fault of every bad event in a body that is not a list of good events.

    Raises `msgspec.DecodeError` when it is no JSON either.
    """
    try:
        events = _decode_raw(body) if is_batch else [_decode_any(body)]
    except msgspec.ValidationError as error:
        return [Issue((), str(error), "type_error")]
    issues = []
    for index, event in enumerate(events):
        try:
            _decode_one(event)
        except msgspec.ValidationError as error:
            issues.append(_fault(index, is_batch, str(error)))
    return issues


def _fault(index: int, is_batch: bool, text: str) -> Issue:
    missing = _MISSING.search(text)
    if missing:
        return _issue(index, is_batch, missing.group(1), "This attribute is required.", "missing")
    place = _PLACE.search(text)
    message = text[: place.start()] if place else text
    return _issue(index, is_batch, place.group(1) if place else "", message)
