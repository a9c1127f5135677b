"""The key filter: never forgets, rarely wrong, grows."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterhouse.usage import key_filter
from meterhouse.usage.key_filter import KeyFilter, keys_from_bytes

keys = st.lists(st.binary(min_size=16, max_size=16), max_size=40)


@given(st.lists(keys, max_size=6))
def test_what_was_added_is_always_perhaps_seen(blocks: list[list[bytes]]) -> None:
    seen = KeyFilter()
    for block in blocks:
        seen.add(keys_from_bytes(block))
    for block in blocks:
        assert seen.contains(keys_from_bytes(block)).all()


def test_growing_keeps_everything_and_stays_selective(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_filter, "FIRST_CAPACITY", 1000)
    source = random.Random(7)
    stored = [source.randbytes(16) for _ in range(20_000)]
    others = keys_from_bytes([source.randbytes(16) for _ in range(20_000)])
    seen = KeyFilter()
    for start in range(0, len(stored), 500):
        seen.add(keys_from_bytes(stored[start : start + 500]))

    assert seen.contains(keys_from_bytes(stored)).all()
    assert seen.contains(others).mean() < 0.0005
    assert seen.size_bytes < 20_000 * 3.5 * 4


def test_a_full_filter_is_wrong_about_one_key_in_two_hundred_thousand() -> None:
    source = random.Random(9)
    seen = KeyFilter()
    for _ in range(16):
        seen.add(keys_from_bytes([source.randbytes(key_filter.FIRST_CAPACITY)]))

    assert seen.contains(keys_from_bytes([source.randbytes(16 * 2_000_000)])).sum() <= 10


def test_a_filter_sized_for_what_is_stored_is_selective_and_small() -> None:
    source = random.Random(8)
    seen = KeyFilter(expected=1_000_000)
    stored = keys_from_bytes([source.randbytes(16 * 1_000_000)])
    seen.add(stored)

    assert seen.contains(stored).all()
    assert seen.contains(keys_from_bytes([source.randbytes(16 * 100_000)])).mean() < 0.00005
    assert seen.size_bytes <= 5_500_000


def test_an_empty_filter_has_seen_nothing() -> None:
    assert not KeyFilter().contains(keys_from_bytes([b"\0" * 16, b"\xff" * 16])).any()
    assert KeyFilter().contains(keys_from_bytes([])).tolist() == []
