"""Schemas as rows: references, unions, conditions, and an end to recursion."""

from __future__ import annotations

from typing import Any

from meterhouse.console.reference.examples import Sampler
from meterhouse.console.reference.notes import ENUM_SHOWN_MAX, notes_of
from meterhouse.console.reference.schemas import Row, SchemaBook


def ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


SCHEMAS: dict[str, Any] = {
    "Text": {"type": "string", "maxLength": 5},
    "Leaf": {"type": "object", "properties": {"text": ref("Text")}, "required": ["text"]},
    "Tree": {
        "type": "object",
        "properties": {"leaf": ref("Leaf"), "children": {"type": "array", "items": ref("Tree")}},
        "required": ["leaf", "children"],
    },
    "Cat": {"type": "object", "properties": {"kind": {"type": "string"}, "lives": {"type": "integer"}}},
    "Dog": {"type": "object", "properties": {"kind": {"type": "string"}}, "required": ["kind"]},
    "Pet": {
        "oneOf": [ref("Dog"), ref("Cat")],
        "discriminator": {
            "propertyName": "kind",
            "mapping": {"dog": ref("Dog")["$ref"], "cat": ref("Cat")["$ref"]},
        },
    },
    "Loop": {"allOf": [ref("Loop")]},
}
BOOK = SchemaBook({"components": {"schemas": SCHEMAS}})
SAMPLER = Sampler(BOOK)


def test_fields_are_indented_and_deep_ones_linked():
    rows = BOOK.rows(ref("Tree"), 2)
    assert rows == (
        Row(0, "leaf", "Leaf", is_required=True),
        Row(1, "text", "string", ("at most 5 characters",), is_required=True),
        Row(0, "children", "list of Tree", is_required=True, link="Tree"),
    )
    assert BOOK.rows(ref("Tree"), 1)[0].link == "Leaf"


def test_recursion_ends():
    assert len(BOOK.rows(ref("Tree"), 50)) == 3
    assert BOOK.rows(ref("Loop"), 5) == ()
    assert SAMPLER.sample(ref("Loop"), "request") == {}
    example = SAMPLER.sample(ref("Tree"), "response")
    assert example["children"][0]["leaf"] == {"text": "text"}


def test_wrappers_keep_the_name_and_the_remarks():
    wrapped = {"type": "object", "allOf": [ref("Leaf")], "nullable": True, "readOnly": True}
    assert BOOK.label(wrapped) == "Leaf or null"
    assert BOOK.form(wrapped).schema["readOnly"] is True
    assert BOOK.form(wrapped).schema["required"] == ["text"]
    assert BOOK.label({"anyOf": [ref("Text"), {"type": "null"}]}) == "string or null"
    assert BOOK.label({"type": ["integer", "null"]}) == "integer or null"


def test_parts_of_a_whole_are_merged():
    whole = {"allOf": [ref("Leaf"), {"type": "object", "properties": {"more": {}}, "required": ["more"]}]}
    assert [row.name for row in BOOK.rows(whole, 2)] == ["text", "more"]
    assert all(row.is_required for row in BOOK.rows(whole, 2))


def test_unions_list_their_alternatives():
    assert BOOK.label(ref("Pet")) == "Dog or Cat"
    assert [(row.depth, row.name, row.type) for row in BOOK.rows(ref("Pet"), 2)] == [
        (0, "either", "Dog"),
        (1, "kind", "string"),
        (0, "either", "Cat"),
        (1, "kind", "string"),
        (1, "lives", "integer"),
    ]
    assert SAMPLER.sample(ref("Pet"), "request") == {"kind": "dog"}


def test_conditions_are_told_and_met():
    schema = {
        "type": "object",
        "properties": {
            "url": {"type": "string"},
            "urls": {"type": "array", "items": {"type": "string"}},
            "mode": {"enum": ["fast", "slow"]},
            "speed": {"type": "integer", "minimum": 7},
        },
        "required": ["mode"],
        "allOf": [
            {"oneOf": [{"required": ["url"]}, {"required": ["urls"]}]},
            {"if": {"properties": {"mode": {"const": "fast"}}}, "then": {"required": ["speed"]}},
        ],
    }
    assert BOOK.conditions(schema) == ("Give one of: url; urls",)
    example = SAMPLER.sample(schema, "request")
    assert example == {"url": "https://example.com/products", "mode": "fast", "speed": 7}


def test_requests_leave_out_what_only_the_server_writes():
    schema = {
        "type": "object",
        "properties": {"id": {"type": "string", "readOnly": True}, "name": {"type": "string"}},
        "required": ["id", "name"],
    }
    assert set(SAMPLER.sample(schema, "request")) == {"name"}
    assert set(SAMPLER.sample(schema, "response")) == {"id", "name"}


def test_conditions_on_values_are_worded():
    assert notes_of({"minLength": 1, "maxItems": 2}) == ("at least 1 character", "at most 2 items")
    assert notes_of({"minimum": 0, "exclusiveMinimum": True}) == ("more than 0",)
    assert notes_of({"exclusiveMinimum": 0, "maximum": 9}) == ("more than 0", "at most 9")
    assert notes_of({"const": "a", "default": "a"}) == ("always a", "default a")
    many = notes_of({"enum": list(range(ENUM_SHOWN_MAX + 4))})[0]
    assert many.startswith("one of 0, 1, 2")
    assert many.endswith("and 4 more")
    assert len(notes_of({"pattern": "x" * 1000})[0]) < 150


def test_schemas_that_say_nothing_are_any():
    assert BOOK.label(True) == "any"
    assert BOOK.label({}) == "any"
    assert BOOK.rows({}, 3) == ()
    assert BOOK.label(ref("None")) == "any"
