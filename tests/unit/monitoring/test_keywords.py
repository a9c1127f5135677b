"""Keyword filters: every row of the documented table, the grammar's corners, and its laws."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterhouse.kernel.errors import LimitExceeded
from meterhouse.monitoring.keywords import FILTER_LENGTH_MAX, KeywordFilter

BOTH = {"title": "Trump raises tariff"}
TRUMP = {"title": "Trump speaks"}
ELON = {"title": "News", "people": [{"name": "Elon  Musk"}]}
MUSK_ELON = {"title": "Musk, Elon"}
BIDEN = {"title": "Trump and Biden"}
NEITHER = {"title": "Weather", "year": 2024, "price": 19.5}
ALL = [BOTH, TRUMP, ELON, MUSK_ELON, BIDEN, NEITHER]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        # The documented table.
        ("+trump +tariff", [BOTH]),
        ("trump elon", [BOTH, TRUMP, ELON, MUSK_ELON, BIDEN]),
        ("+trump -biden", [BOTH, TRUMP]),
        ('"elon musk"', [ELON]),
        # Mixtures.
        ("+trump tariff", [BOTH, TRUMP, BIDEN]),
        ("tariff elon -musk", [BOTH]),
        ("-trump", [ELON, MUSK_ELON, NEITHER]),
        ('-"elon musk" elon', [MUSK_ELON]),
        ('+"elon musk" +news', [ELON]),
        ("", ALL),
        ("  ", ALL),
        ("+ -", ALL),
        ("+ trump -", [BOTH, TRUMP, BIDEN]),
        ('""', ALL),
        ('"elon musk', [ELON]),
        ('news"elon musk"', [ELON]),
        ("trump AND weather", [BOTH, TRUMP, BIDEN, NEITHER]),
        ("title:trump", []),
        # Numbers, whole words, letter case, parts of words.
        ("2024", [NEITHER]),
        ("19.5", [NEITHER]),
        ("202", []),
        ("TRUMP", [BOTH, TRUMP, BIDEN]),
        ("tarif", []),
        ("title", []),
        ("musk,", [MUSK_ELON]),
    ],
)
def test_rows(text: str, kept: list[dict[str, object]]) -> None:
    assert KeywordFilter.parse(text).select(ALL) == kept


def test_scripts_without_blanks_are_searched_anywhere() -> None:
    assert KeywordFilter.parse("東京").keeps({"title": "東京都の天気"})
    assert not KeywordFilter.parse("大阪").keeps({"title": "東京都の天気"})


def test_a_phrase_stands_in_one_value() -> None:
    item = {"first": "Elon", "last": "Musk"}
    assert not KeywordFilter.parse('"elon musk"').keeps(item)
    assert KeywordFilter.parse("+elon +musk").keeps(item)


def test_a_plus_that_arrived_as_a_blank_means_either() -> None:
    assert KeywordFilter.parse(" trump  tariff").select(ALL) == [BOTH, TRUMP, BIDEN]


def test_unicode_forms_are_the_same_and_truth_is_no_text() -> None:
    assert KeywordFilter.parse("café").keeps({"title": "Cafe\u0301 Central"})
    assert not KeywordFilter.parse("true").keeps({"in_stock": True, "note": None})


def test_a_filter_has_a_length() -> None:
    with pytest.raises(LimitExceeded):
        KeywordFilter.parse("x" * (FILTER_LENGTH_MAX + 1))


WORDS = st.text("abc", min_size=1, max_size=3)
ITEMS = st.fixed_dictionaries({"text": st.lists(WORDS, max_size=5).map(" ".join)})


@given(st.text(max_size=200), ITEMS)
def test_every_text_is_a_filter(text: str, item: dict[str, object]) -> None:
    assert KeywordFilter.parse(text).keeps(item) in (True, False)


@given(WORDS, ITEMS)
def test_with_and_without_part_the_items(word: str, item: dict[str, object]) -> None:
    assert KeywordFilter.parse(f"+{word}").keeps(item) != KeywordFilter.parse(f"-{word}").keeps(item)
    assert KeywordFilter.parse(word).keeps(item) == (word in str(item["text"]).split())


@given(st.lists(WORDS, min_size=1, max_size=4), ITEMS)
def test_all_implies_any(words: list[str], item: dict[str, object]) -> None:
    if KeywordFilter.parse(" ".join(f"+{word}" for word in words)).keeps(item):
        assert KeywordFilter.parse(" ".join(words)).keeps(item)
