"""Filter objects: what they mean, and which are refused."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterhouse.apis.openmeter.filters import (
    FILTERS_MAX,
    NESTING_MAX,
    ids_from_wire,
    string_filter_from_wire,
    time_filter_from_wire,
)
from meterhouse.kernel.errors import Invalid
from meterhouse.usage.model import StringFilter, TimeFilter

AT = ("query", "filter", "id")
TEXTS = st.text(min_size=1, max_size=5)


def filters(depth: int) -> st.SearchStrategy[StringFilter]:
    plain = st.sampled_from(["eq", "ne", "like", "nlike", "ilike", "nilike", "gt", "gte", "lt", "lte"])
    listed = st.sampled_from(["in", "nin"])
    leaves = st.builds(StringFilter, plain, TEXTS) | st.builds(
        StringFilter, listed, st.lists(TEXTS, max_size=3).map(tuple)
    )
    if depth == 0:
        return leaves
    parts = st.lists(filters(depth - 1), max_size=3).map(tuple)
    return leaves | st.builds(StringFilter, st.sampled_from(["and", "or"]), parts)


def to_wire(wanted: StringFilter) -> dict[str, Any]:
    if isinstance(wanted.value, str):
        return {f"${wanted.operator}": wanted.value}
    return {
        f"${wanted.operator}": [
            to_wire(part) if isinstance(part, StringFilter) else part for part in wanted.value
        ]
    }


@given(filters(2))
def test_a_filter_comes_back(wanted: StringFilter) -> None:
    assert string_filter_from_wire(to_wire(wanted), AT) == wanted


@pytest.mark.parametrize("wire", [{}, {"$eq": None}, {"$eq": None, "$in": None}])
def test_no_operator_matches_everything(wire: dict[str, Any]) -> None:
    assert string_filter_from_wire(wire, AT) == StringFilter("and", ())
    assert time_filter_from_wire({}, AT) == TimeFilter("and", ())
    assert ids_from_wire({}, AT) is None


def nested(depth: int) -> dict[str, Any]:
    wire: dict[str, Any] = {"$eq": "a"}
    for _ in range(depth):
        wire = {"$or": [wire]}
    return wire


@pytest.mark.parametrize(
    ("wire", "words"),
    [
        ([], "filter.id: must be a JSON object"),
        ({"$eq": "a", "$ne": "b"}, "exactly one operator"),
        ({"$eq": ""}, r"filter.id.\$eq: must not be empty"),
        ({"$regex": "a"}, "unknown operator"),
        (nested(NESTING_MAX + 1), "nests too deep"),
        ({"$or": [{"$eq": "a"}] * FILTERS_MAX}, "more than"),
    ],
    ids=["list", "two", "empty", "unknown", "deep", "wide"],
)
def test_refused(wire: Any, words: str) -> None:
    with pytest.raises(Invalid, match=words) as refused:
        string_filter_from_wire(wire, AT)
    assert refused.value.issues[0].path[:3] == AT


def test_nesting_is_bounded_where_the_bound_says() -> None:
    assert string_filter_from_wire(nested(NESTING_MAX), AT)
    assert string_filter_from_wire(nested(1), AT, nesting_max=1)
    with pytest.raises(Invalid, match="too deep"):
        string_filter_from_wire(nested(2), AT, nesting_max=1)
    with pytest.raises(Invalid, match="too deep"):
        time_filter_from_wire({"$and": [{"$and": [{"$gt": "2026-03-01T00:00:00Z"}]}]}, AT)
    with pytest.raises(Invalid, match="unknown operator"):
        time_filter_from_wire({"$eq": "2026-03-01T00:00:00Z"}, AT)


def test_ids() -> None:
    known = UUID("0190163d-8694-7de3-8f3a-2c9e3f1f6a01")
    assert ids_from_wire({"$in": [str(known)]}, AT) == (known,)
    assert ids_from_wire({"$in": []}, AT) == ()
    with pytest.raises(Invalid, match="must hold ids"):
        ids_from_wire({"$in": ["x"]}, AT)
    with pytest.raises(Invalid, match="unknown operator"):
        ids_from_wire({"$and": []}, AT)
