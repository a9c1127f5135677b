from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from meterhouse.apis.faults import MalformedBody, RequestInvalid
from meterhouse.apis.payload import NESTING_MAX, decode_json, encode_json


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"{'a': 1}", b"NaN", b"[Infinity]", b"\xff\xfe", b"1 2", b'"a\x00"', b"9" * 5000],
    ids=repr,
)
def test_what_is_no_json_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedBody):
        decode_json(body)


@pytest.mark.parametrize("depth", [NESTING_MAX + 1, 5_000, 500_000])
@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_deep_nesting_is_refused(depth: int, opening: bytes, closing: bytes) -> None:
    with pytest.raises(MalformedBody, match="nests deeper"):
        decode_json(opening * depth + b"1" + closing * depth)


def test_nesting_within_the_bound_is_read() -> None:
    assert decode_json(b"[" * NESTING_MAX + b"]" * NESTING_MAX)
    assert decode_json(b'["' + b"[{" * 500 + b'"]') == ["[{" * 500]


def test_the_place_of_a_fault_is_told() -> None:
    with pytest.raises(MalformedBody) as caught:
        decode_json(b'{"a": 1,, "b": 2}')
    assert caught.value.offset == 8


@pytest.mark.parametrize("text", ["\\u0000", "\\ud800", "\\udc00x"])
def test_characters_that_no_store_keeps_are_named(text: str) -> None:
    with pytest.raises(RequestInvalid) as caught:
        decode_json(f'{{"a": ["x", "{text}"], "{text}": 1}}'.encode())
    assert [issue.path for issue in caught.value.issues] == [("body", "a", 1), ("body",)]


def test_escaped_pairs_and_backslashes_are_fine() -> None:
    assert decode_json(b'["\\ud83d\\ude00", "\\\\u0000", "\\u00e9"]') == ["😀", "\\u0000", "é"]


@dataclass
class Thing:
    at: datetime
    id: UUID
    amount: Decimal


class Model(BaseModel):
    a: int


def test_values_are_written_as_clients_expect() -> None:
    thing = Thing(datetime(2026, 1, 1, tzinfo=UTC), UUID(int=1), Decimal("0.10"))
    assert encode_json([thing, Model(a=1), float("nan")]) == (
        b'[{"at":"2026-01-01T00:00:00Z","id":"00000000-0000-0000-0000-000000000001","amount":"0.10"},'
        b'{"a":1},null]'
    )


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(body: bytes) -> None:
    with suppress(MalformedBody, RequestInvalid):
        decode_json(body)
