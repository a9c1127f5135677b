"""What users say about changes: ignored fields, keys, letter case, order."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.monitoring.test_engine import phones, results

from meterhouse.kernel.errors import Invalid
from meterhouse.monitoring import engine
from meterhouse.monitoring.rules import STANDARD, ChangeRules

rules = st.builds(
    lambda ignored, ignores_case, ordered: ChangeRules.parse(
        {"ignore_fields": ignored, "ignore_case": ignores_case, "ordered": ordered}
    ),
    st.lists(st.sampled_from(["id", "title", "price"]), max_size=2),
    st.booleans(),
    st.booleans(),
)


@given(results, results, rules)
def test_equal_hashes_exactly_where_nothing_happened(
    new: list[dict[str, Any]], old: list[dict[str, Any]], by: ChangeRules
) -> None:
    is_same = engine.content_hash(new, by) == engine.content_hash(old, by)
    assert engine.diff(new, old, by).is_empty is is_same
    assert (engine.similarity(new, old, by) == 1.0) is is_same
    assert engine.measure(new, by)[0] == engine.content_hash(new, by)


@given(results)
def test_the_standard_is_what_holds_without_rules(result: list[dict[str, Any]]) -> None:
    assert engine.content_hash(result, ChangeRules.parse({})) == engine.content_hash(result)
    assert ChangeRules.parse(None) is STANDARD
    assert STANDARD.to_document() is None


def test_ignored_fields_are_no_change_and_are_shown_all_the_same() -> None:
    by = ChangeRules.parse({"ignore_fields": ["price", "seller.rating"]})
    old = [{**item, "seller": {"name": "Ann", "rating": 4}} for item in phones(1, 2)]
    new = [{**item, "seller": {"name": "Ann", "rating": 5}} for item in phones(3, 4)]
    assert engine.content_hash(new, by) == engine.content_hash(old, by)
    new[1]["title"] = "Phone Z"
    (modified,) = engine.diff(new, old, by).modified
    assert (modified.before, modified.after) == (old[1], new[1])
    assert [change.name for change in modified.fields] == ["title"]


def test_given_keys_pair_items() -> None:
    old = [{"shop": "A", "sku": 1, "id": "x", "price": 5}, {"shop": "B", "sku": 1, "id": "y", "price": 6}]
    new = [{"shop": "a", "sku": 1, "id": "z", "price": 7}, {"shop": "B", "sku": 1, "id": "y", "price": 6}]
    by = ChangeRules.parse({"key_fields": ["shop", "sku"], "ignore_case": True, "ignore_fields": ["id"]})
    found = engine.diff(new, old, by)
    assert (found.added, found.removed, found.key) == ((), (), ("shop", "sku"))
    assert [(one.name, one.before, one.after) for one in found.modified[0].fields] == [("price", 5, 7)]
    assert len(engine.diff(new, old).added) == 1


def test_order_may_be_content() -> None:
    by = ChangeRules.parse({"ordered": True})
    new, old = [*reversed(phones(1, 2, 3))], phones(1, 2, 3)
    assert engine.content_hash(new) == engine.content_hash(old)
    assert engine.content_hash(new, by) != engine.content_hash(old, by)
    assert engine.compare(new, old, by).changes == ("2 items moved",)


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ([], ()),
        ({"ignore": ["a"]}, ("ignore",)),
        ({"ignore_fields": "price"}, ("ignore_fields",)),
        ({"ignore_fields": ["a", 1]}, ("ignore_fields", 1)),
        ({"key_fields": ["a"] * 11}, ("key_fields",)),
        ({"ordered": "yes"}, ("ordered",)),
    ],
)
def test_what_cannot_be_used_is_named(document: object, path: tuple[str | int, ...]) -> None:
    with pytest.raises(Invalid) as refused:
        ChangeRules.parse(document)
    assert refused.value.issues[0].path == path
    assert ".".join(map(str, ("change_rules", *path))) in str(refused.value)


def test_rules_are_read_back_as_they_were() -> None:
    document = {"ignore_fields": ["a", "b.c"], "key_fields": ["z", "a"], "ignore_case": True, "ordered": True}
    assert ChangeRules.parse(document).to_document() == document
