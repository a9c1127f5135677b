from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterhouse.extraction import patterns
from meterhouse.extraction.filters import OPERATORS, Filter
from meterhouse.kernel.errors import Invalid

ITEM: dict[str, object] = {
    "title": "Brass Lamp",
    "price": "$ 49.90",
    "stock": 3,
    "sold": 5.0,
    "new": True,
    "tags": ["Desk", "Brass"],
    "empty": "",
    "none": None,
    "void": [],
    "maker": {"name": "Faro"},
    "maker.city": "Kiel",
}


def holds(field: str, operator: str, value: object = None, **more: object) -> bool:
    condition: dict[str, object] = {"field": field, "operator": operator, **more}
    if value is not None:
        condition["value"] = value
    return Filter.parse(condition).holds(ITEM)


@pytest.mark.parametrize(
    ("field", "operator", "value", "expected"),
    [
        ("title", "contains", "lamp", True),
        ("title", "contains", "vase", False),
        ("title", "not_contains", "vase", True),
        ("title", "not_contains", "LAMP", False),
        ("title", "equals", "brass lamp", True),
        ("title", "not_equals", "brass lamp", False),
        ("stock", "equals", "3", True),
        ("stock", "equals", "3.0", True),
        ("sold", "equals", "5", True),
        ("new", "equals", "true", True),
        ("new", "not_equals", "false", True),
        ("title", "regex_match", "^brass", True),
        ("title", "regex_match", "amp$", True),
        ("title", "regex_match", "^lamp", False),
        ("title", "exists", None, True),
        ("empty", "exists", None, False),
        ("none", "exists", None, False),
        ("void", "exists", None, False),
        ("empty", "not_exists", None, True),
        ("gone", "not_exists", None, True),
        ("price", "gt", "49", True),
        ("price", "gt", "49.90", False),
        ("price", "lt", "50", True),
        ("stock", "gt", 2, True),
        ("title", "gt", "1", False),
        ("price", "lt", "cheap", False),
        ("gone", "contains", "x", False),
        ("gone", "equals", "x", False),
        ("gone", "regex_match", "x", False),
        ("gone", "gt", "1", False),
        ("gone", "lt", "1", False),
        ("gone", "not_contains", "x", True),
        ("none", "not_equals", "x", True),
        ("tags", "contains", "des", True),
        ("tags", "equals", "brass", True),
        ("tags", "not_contains", "desk", False),
        ("tags", "not_equals", "paper", True),
        ("maker.name", "equals", "faro", True),
        ("maker.city", "equals", "kiel", True),
        ("maker.zip", "exists", None, False),
    ],
)
def test_operators(field: str, operator: str, value: object, expected: bool) -> None:
    assert holds(field, operator, value) is expected


@pytest.mark.parametrize("operator", ["contains", "equals", "regex_match"])
def test_case_sensitive(operator: str) -> None:
    assert holds("title", operator, "Brass Lamp", case_sensitive=True)
    assert not holds("title", operator, "brass lamp", case_sensitive=True)


def test_groups() -> None:
    cheap = {"field": "price", "operator": "lt", "value": "10"}
    brass = {"field": "title", "operator": "contains", "value": "brass"}
    new = {"field": "new", "operator": "equals", "value": "true"}
    assert not Filter.parse({"mode": "all", "conditions": [cheap, brass]}).holds(ITEM)
    assert Filter.parse({"mode": "any", "conditions": [cheap, brass]}).holds(ITEM)
    nested = {"mode": "all", "conditions": [new, {"mode": "any", "conditions": [cheap, brass]}]}
    assert Filter.parse(nested).holds(ITEM)


@pytest.mark.parametrize("config", [None, {"conditions": []}, {"mode": "any", "conditions": []}])
def test_no_conditions_keep_everything(config: object) -> None:
    assert Filter.parse(config).apply([ITEM]) == [ITEM]


def test_inner_items_of_a_wrapper_are_filtered() -> None:
    kept = Filter.parse({"field": "n", "operator": "gt", "value": "1"})
    assert kept.apply([{"rows": [{"n": 1}, {"n": 2}]}], "rows") == [{"rows": [{"n": 2}]}]


@pytest.mark.parametrize(
    ("config", "path"),
    [
        ([], ()),
        ({"mode": "some", "conditions": []}, ("mode",)),
        ({"conditions": {}}, ("conditions",)),
        ({"conditions": [1]}, ("conditions", 0)),
        ({"conditions": [{"operator": "exists"}]}, ("conditions", 0, "field")),
        ({"conditions": [{"field": "a", "operator": "near"}]}, ("conditions", 0, "operator")),
        ({"conditions": [{"field": "a", "operator": "gt"}]}, ("conditions", 0, "value")),
        (
            {"conditions": [{"field": "a", "operator": "regex_match", "value": "("}]},
            ("conditions", 0, "value"),
        ),
        (
            {"conditions": [{"field": "a", "operator": "regex_match", "value": "(a|aa)+$"}]},
            ("conditions", 0, "value"),
        ),
        ({"field": "a", "operator": "exists", "case_sensitive": 1}, ("case_sensitive",)),
    ],
)
def test_faults_are_named(config: object, path: tuple[str | int, ...]) -> None:
    with pytest.raises(Invalid) as fault:
        Filter.parse(config)
    assert fault.value.issues[0].path == ("filter_config", *path)


def test_deep_nesting_is_refused() -> None:
    config: dict[str, object] = {"conditions": []}
    for _ in range(40):
        config = {"conditions": [config]}
    with pytest.raises(Invalid):
        Filter.parse(config)


def test_a_pattern_is_compiled_once() -> None:
    assert patterns.compiled("a+") is patterns.compiled("a+")


@given(
    st.sampled_from([o for o in OPERATORS if not o.startswith("not_")]),
    st.none()
    | st.text(max_size=8)
    | st.integers(-99, 99)
    | st.booleans()
    | st.lists(st.text(max_size=4), max_size=3),
    st.text("abc019. ", min_size=1, max_size=4),
)
def test_negated_operators_are_the_opposite(operator: str, value: object, wanted: str) -> None:
    negated = {"contains": "not_contains", "equals": "not_equals", "exists": "not_exists"}.get(operator)
    if negated is None:
        return
    item = {"f": value}
    positive = Filter.parse({"field": "f", "operator": operator, "value": wanted}).holds(item)
    negative = Filter.parse({"field": "f", "operator": negated, "value": wanted}).holds(item)
    assert positive is not negative
