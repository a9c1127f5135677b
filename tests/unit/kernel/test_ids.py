"""Ids: UUIDv7 order, and one id in two spellings."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterhouse.kernel.ids import new_id, new_ids_bytes, parse_id, parse_ulid, to_ulid


def test_new_ids_are_version_7_and_strictly_increase():
    ids = [new_id() for _ in range(5000)]
    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)
    assert {(i.version, i.variant) for i in ids} == {(7, "specified in RFC 4122")}


def test_new_ids_differ_across_threads():
    with ThreadPoolExecutor(4) as pool:
        batches = list(pool.map(lambda _: [new_id() for _ in range(2000)], range(4)))
    assert len({i for batch in batches for i in batch}) == 8000


@given(st.uuids())
def test_both_spellings_name_the_same_id(value: UUID):
    ulid = to_ulid(value)
    assert len(ulid) == 26
    assert parse_ulid(ulid) == value
    assert parse_id(ulid.lower()) == value
    assert parse_id(str(value)) == value
    assert parse_id(value.hex) == value


def test_ulid_order_is_id_order():
    ids = [new_id() for _ in range(100)]
    assert sorted(to_ulid(i) for i in ids) == [to_ulid(i) for i in ids]


@pytest.mark.parametrize(
    "text",
    ["", "x", "8" + "Z" * 25, "I" * 26, "{12345678-1234-5678-1234-567812345678}", "1234", "é" * 26, "g" * 32],
)
def test_what_is_no_id_is_refused(text: str):
    assert parse_id(text) is None


@given(st.text(max_size=40))
def test_any_text_is_read_without_an_error(text: str):
    parse_id(text)


def test_ids_in_blocks_are_version_7_and_increase_with_the_others():
    first = new_id()
    block = [UUID(bytes=raw) for raw in new_ids_bytes(1000)]
    last = new_id()

    everything = [first, *block, last]
    assert everything == sorted(everything)
    assert len(set(everything)) == 1002
    assert {(i.version, i.variant) for i in everything} == {(7, "specified in RFC 4122")}
    assert new_ids_bytes(0) == []


def test_ids_in_blocks_differ_across_threads():
    with ThreadPoolExecutor(4) as pool:
        blocks = list(pool.map(lambda _: [raw for _ in range(50) for raw in new_ids_bytes(40)], range(4)))
    assert len({raw for block in blocks for raw in block}) == 8000
