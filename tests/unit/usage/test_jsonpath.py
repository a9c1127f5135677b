"""Paths into an event's data."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterhouse.kernel.errors import Invalid
from meterhouse.usage.engine.jsonpath import (
    DEPTH_MAX,
    LENGTH_MAX,
    Path,
    Wildcard,
    parse_dotted,
    parse_jsonpath,
)


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("$", ()),
        ("$.a", ("a",)),
        ("$.a.b", ("a", "b")),
        ("$.a[0]", ("a", 0)),
        ('$["a b"]', ("a b",)),
        ("$['a b'].c", ("a b", "c")),
        ("$['it\\'s']", ("it's",)),
        ('$["\\u00e9\\"x"]', ('é"x',)),
        ("$.a[*]", ("a", Wildcard.EACH)),
        ("$.a[*].b[2]", ("a", Wildcard.EACH, "b", 2)),
        ("$.größe", ("größe",)),
        ("$.a-b", ("a-b",)),
    ],
)
def test_jsonpath(text, steps):
    assert parse_jsonpath(text) == Path(steps)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "$a",
        "$.",
        "$..a",
        "$.a.",
        "$[",
        "$[-1]",
        "$[9999999]",
        "$[?(@.a)]",
        "$[0:2]",
        "$.a b",
        "$['a",
        '$["\\ud800"]',
        '$["\\x"]',
        "$.a\x00",
        '$["\\u0000"]',
        "$.a' OR 1=1 --",
        "$.a\ud800",
        "$" + ".a" * (DEPTH_MAX + 1),
        "$." + "a" * LENGTH_MAX,
        "$" + "[*]" * 5,
    ],
)
def test_refused(text):
    with pytest.raises(Invalid) as caught:
        parse_jsonpath(text, field=("valueProperty",))
    assert caught.value.issues[0].path == ("valueProperty",)


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("tokens", ("tokens",)),
        ("metadata.tokens", ("tokens",)),
        ("metadata.metadata.a", ("metadata", "a")),
        ("_llm.total_tokens", ("_llm", "total_tokens")),
        ("a b.'c", ("a b", "'c")),
        ("a..b", ("a", "", "b")),
    ],
)
def test_dotted(text, steps):
    assert parse_dotted(text) == Path(steps)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text):
    for parse in (parse_jsonpath, parse_dotted):
        with suppress(Invalid):
            assert isinstance(parse(text), Path)
