from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterhouse.extraction.schema import TYPES, OutputSchema, coerce, is_url_field, parse_number
from meterhouse.kernel.errors import Invalid


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        ("text", "string", "text"),
        ("", "string", None),
        (7, "string", "7"),
        (True, "string", "true"),
        ("$19.99", "number", 19.99),
        ("€1,299.00", "float", 1299.0),
        ("£ 5", "number", 5.0),
        ("₹ 450", "number", 450.0),
        ("1.234,56 €", "number", 1234.56),
        ("39,90", "number", 39.9),
        ("1,234", "number", 1234.0),
        ("1.234.567", "number", 1234567.0),
        ("1 199 kr", "number", 1199.0),
        ("-3.5", "number", -3.5),
        ("call us", "number", None),
        ("2 of 3", "number", None),
        ("225 points", "integer", 225),
        ("1,024 views", "int", 1024),
        ("2.5", "integer", 3),
        ("2.4", "int", 2),
        ("none", "integer", None),
        ("true", "boolean", True),
        (" Yes ", "boolean", True),
        ("1", "boolean", True),
        ("FALSE", "boolean", False),
        ("no", "boolean", False),
        ("0", "boolean", False),
        ("maybe", "boolean", None),
        (True, "boolean", True),
        ("red, green,blue", "array", ["red", "green", "blue"]),
        (5, "array", [5]),
        (["a"], "array", ["a"]),
        (None, "array", None),
        (None, "string", None),
        (["12", "13"], "string", "12, 13"),
        (["12"], "integer", 12),
    ],
)
def test_coercion(value: object, kind: str, expected: object) -> None:
    assert coerce(value, kind) == expected


@given(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(max_size=40), st.sampled_from(TYPES)
)
def test_coercion_is_idempotent(value: object, kind: str) -> None:
    once = coerce(value, kind)
    assert coerce(once, kind) == once


@given(st.decimals(-(10**9), 10**9, places=2))
def test_numbers_survive_currency_and_grouping(number: Decimal) -> None:
    assert parse_number(f"$ {number:,}") == number


def test_flat_names_are_nested_again() -> None:
    schema = OutputSchema.parse({"product": {"name": "string", "pricing": {"amount": "number"}}})
    assert schema.flat_types() == {"product_name": "string", "product_pricing_amount": "number"}
    assert schema.apply([{"product_name": "Lamp", "product_pricing_amount": "$ 5", "extra": 1}]) == [
        {"product": {"name": "Lamp", "pricing": {"amount": 5.0}}}
    ]


def test_missing_fields_are_null_and_unknown_ones_dropped() -> None:
    assert OutputSchema.parse({"a": "string", "b": "int"}).apply([{"a": "x", "c": 1}]) == [
        {"a": "x", "b": None}
    ]


def test_wrapper_form() -> None:
    schema = OutputSchema.parse({"listings": [{"title": "string", "price": "number"}]})
    assert schema.wrapper == "listings"
    assert schema.apply([{"title": "A", "price": "1"}, {"title": "B"}]) == [
        {"listings": [{"title": "A", "price": 1.0}, {"title": "B", "price": None}]}
    ]


def test_plain_json_schema() -> None:
    schema = OutputSchema.parse(
        {
            "type": "object",
            "properties": {
                "title": {"type": "string"},
                "tags": {"type": "array", "items": {"type": "string"}},
                "maker": {"type": "object", "properties": {"name": {"type": ["string", "null"]}}},
            },
        }
    )
    assert schema.flat_types() == {"title": "string", "tags": "array", "maker_name": "string"}
    listed = OutputSchema.parse({"type": "array", "items": {"properties": {"a": {"type": "integer"}}}})
    assert listed.wrapper is None
    assert listed.flat_types() == {"a": "integer"}


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        ({}, ("output_schema",)),
        ("string", ("output_schema",)),
        ({"price": "money"}, ("output_schema", "price")),
        ({"a": {"b": "wat"}}, ("output_schema", "a", "b")),
        ({"rows": [{"a": "wat"}]}, ("output_schema", "rows", "0", "a")),
        ({"a": 3, "b": "string"}, ("output_schema", "a")),
        ({"properties": {"a": {"type": "decimal"}}}, ("output_schema", "properties", "a", "type")),
    ],
)
def test_faults_name_the_field(schema: object, path: tuple[str, ...]) -> None:
    with pytest.raises(Invalid) as fault:
        OutputSchema.parse(schema)
    assert tuple(str(step) for step in fault.value.issues[0].path) == path


@pytest.mark.parametrize(
    ("name", "expected"),
    [("url", True), ("image_url", True), ("link", True), ("Href", True), ("title", False)],
)
def test_url_fields(name: str, expected: bool) -> None:
    assert is_url_field(name) is expected
