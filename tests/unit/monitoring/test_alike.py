"""Fuzzy matching of manifests, against every pair weighed by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterhouse.kernel.errors import LimitExceeded
from meterhouse.monitoring import alike
from meterhouse.monitoring.alike import Match, match_items, similarity, value_text

WORDS = st.lists(st.sampled_from(["phone", "phones", "pro", "max", "x", "128", "gb", "black"]), max_size=4)
ITEMS = st.lists(
    st.fixed_dictionaries({"name": WORDS.map(" ".join), "sku": st.sampled_from(["", "A1", "A2", "B1"])}),
    max_size=6,
)


@pytest.mark.parametrize(
    ("one", "other", "least", "most"),
    [
        ("Phone Pro 128 GB", "phone pro, 128 gb", 100, 100),
        ("Pro Phone", "Phone Pro", 100, 100),
        ("Phone Pro 128GB", "Phone Pro 128 GB", 80, 99),
        ("Phone Pro", "Toaster", 0, 30),
        ("", "Phone", 0, 0),
        ("東京タワー", "東京タワ", 60, 99),
    ],
)
def test_how_alike_texts_are(one: str, other: str, least: float, most: float) -> None:
    assert least <= similarity(one, other) <= most
    assert similarity(one, other) == similarity(other, one)


def test_the_documented_answer() -> None:
    known = [{"name": "Phone A"}, {"name": "Phone Pro 128GB"}, {"name": "Gone"}]
    found = [{"name": "Phone Pro 128 GB", "price": 1}, {"name": "New"}, {"name": "PHONE A", "price": 2}]
    compared = match_items(known, found, ["name"])
    assert [(match.known, match.found) for match in compared.matched] == [(0, 2), (1, 0)]
    assert (compared.added, compared.removed) == ((1,), (2,))


def test_the_best_field_counts() -> None:
    (match,) = match_items(
        [{"sku": "A1", "name": "x"}], [{"sku": "a-1", "name": "x"}], ["sku", "name"]
    ).matched
    assert match == Match(0, 0, 100.0, "name")


@pytest.mark.parametrize(
    ("item", "name", "text"),
    [
        ({"a": 19.0}, "a", "19"),
        ({"a": {"b": " x "}}, "a.b", "x"),
        ({"a.b": "whole", "a": {"b": "x"}}, "a.b", "whole"),
        ({"a": None}, "a", ""),
        ({"a": 1}, "a.b", ""),
        ({"a": [1, "x"]}, "a", '[1,"x"]'),
        ({"a": True}, "a", "true"),
    ],
)
def test_values_as_text(item: dict[str, object], name: str, text: str) -> None:
    assert value_text(item, name) == text


@given(ITEMS, ITEMS, st.sampled_from([0, 40, 66.7, 80, 95.5, 100]))
def test_no_pair_that_reaches_the_threshold_is_missed(
    known: list[dict[str, str]], found: list[dict[str, str]], threshold: float
) -> None:
    compared = match_items(known, found, ["name", "sku"], threshold=threshold)
    scores = {
        (one, other): max(similarity(known[one][name], found[other][name]) for name in ("name", "sku"))
        for one in range(len(known))
        for other in range(len(found))
    }
    pairs = {(match.known, match.found) for match in compared.matched}
    assert all(scores[pair] >= threshold for pair in pairs)
    assert len({one for one, _ in pairs}) == len({other for _, other in pairs}) == len(pairs)
    assert set(compared.removed) == set(range(len(known))) - {one for one, _ in pairs}
    assert set(compared.added) == set(range(len(found))) - {other for _, other in pairs}
    comparable = {
        (one, other)
        for one, other in scores
        if any(known[one][name] and found[other][name] for name in ("name", "sku"))
    }
    left = [
        (one, other)
        for one in compared.removed
        for other in compared.added
        if scores[one, other] >= threshold and (one, other) in comparable
    ]
    assert left == [], "two items that are alike enough stay apart"


def test_too_many_pairs_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alike, "COMPARISONS_MAX", 10)
    items = [{"name": f"phone {at}"} for at in range(5)]
    with pytest.raises(LimitExceeded, match="raise the threshold"):
        match_items(items, [{"name": f"{one['name']}x"} for one in items], ["name"], threshold=10)


def test_thousands_of_items_are_matched_quickly() -> None:
    known = [{"name": f"Phone {at} {at * 7919 % 10007} series"} for at in range(2_000)]
    found = [{"name": f"Phone {at} {at * 7919 % 10007} Series!"} for at in range(2_000)]
    assert len(match_items(known, found, ["name"]).matched) == 2_000
