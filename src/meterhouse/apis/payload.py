"""Bytes to JSON values and back, with bounds that keep hostile bodies away from everything behind."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NoReturn

import msgspec
from pydantic import BaseModel
from starlette.types import Message, Receive

from meterhouse.apis.faults import BodyTooLarge, ClientGone, MalformedBody, RequestInvalid, RequestIssue

NESTING_MAX = 64  # deeper values would exhaust the stack of schema checks long before being useful

_NO_NUL = "Value error, This value contains invalid characters"


async def read_body(receive: Receive) -> bytes:
    """Collect the request body. Raises `ClientGone` when the client leaves before its end."""
    chunks: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        chunks.append(message.get("body", b""))
        if not message.get("more_body", False):
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)


class BodyLimit:
    """A `receive` that counts body bytes and raises `BodyTooLarge` once they pass `bytes_max`."""

    __slots__ = ("_bytes_max", "_seen", "unbounded")

    def __init__(self, receive: Receive, bytes_max: int) -> None:
        self.unbounded = receive
        self._bytes_max = bytes_max
        self._seen = 0

    async def __call__(self) -> Message:
        message = await self.unbounded()
        self._seen += len(message.get("body", b""))
        if self._seen > self._bytes_max:
            raise too_large(self._bytes_max)
        return message


def too_large(bytes_max: int) -> BodyTooLarge:
    return BodyTooLarge(
        f"Request body exceeded the maximum allowed size of {bytes_max} bytes.",
        details={"bytes_max": bytes_max},
    )


def decode_json(body: bytes) -> Any:
    """Read a JSON document.

    Raises `MalformedBody` for anything that is no JSON text (NaN and Infinity included) or nests deeper
    than `NESTING_MAX`, and `RequestInvalid` naming each string that no store could keep: U+0000 and
    halves of surrogate pairs.
    """
    try:
        text = body.decode("utf-8-sig")
        value = json.loads(text, parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        raise MalformedBody("The body is not UTF-8 text.", offset=error.start) from None
    except json.JSONDecodeError as error:
        raise MalformedBody(f"The body is not valid JSON: {error}.", offset=error.pos) from None
    except RecursionError:
        raise _too_deep() from None
    except ValueError as error:  # a constant that is no JSON, or an integer of thousands of digits
        raise MalformedBody(f"The body is not valid JSON: {error}.") from None
    if body.count(b"[") + body.count(b"{") > NESTING_MAX:
        _check_depth(value)
    if b"\\u" in body:  # JSON has no other way to spell the characters in question
        _check_characters(value)
    return value


def encode_json(value: object) -> bytes:
    """Write a JSON document: instants as RFC 3339, ids as text, not-a-number as null."""
    return msgspec.json.encode(value, enc_hook=_plain)


def _plain(value: object) -> object:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True)
    return str(value)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value")


def _too_deep() -> MalformedBody:
    return MalformedBody(f"The body nests deeper than {NESTING_MAX} levels.")


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(NESTING_MAX):
        level = [child for parent in level for child in _children(parent)]
        if not level:
            return
    raise _too_deep()


def _children(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from (child for child in value.values() if isinstance(child, dict | list))
    elif isinstance(value, list):
        yield from (child for child in value if isinstance(child, dict | list))


def check_json(value: Any) -> Any:
    """Return a JSON value that came by another way than a body.

    Raises `ValueError`, with the sentence to show, for what `decode_json` refuses in a body.
    """
    try:
        _check_depth(value)
    except MalformedBody:
        raise ValueError(f"nests deeper than {NESTING_MAX} levels") from None
    if next(_unstorable(value, ()), None) is not None:
        raise ValueError("contains characters that cannot be stored")
    return value


def _check_characters(value: Any) -> None:
    issues = [
        RequestIssue(("body", *path), _NO_NUL, code="value_error", ctx={"error": {}})
        for path in _unstorable(value, ())
    ]
    if issues:
        raise RequestInvalid("The body contains characters that cannot be stored.", issues=issues)


def _unstorable(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    if isinstance(value, str):
        if not is_storable(value):
            yield path
    elif isinstance(value, dict):
        for key, child in value.items():
            if is_storable(key):
                yield from _unstorable(child, (*path, key))
            else:
                yield path
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from _unstorable(child, (*path, index))


def is_storable(text: str) -> bool:
    """Whether text can be written to the stores: no U+0000 and no lone surrogate."""
    if "\x00" in text:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
