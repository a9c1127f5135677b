"""Plans written by hand: what cannot be used is refused by its path before anything is fetched."""

from __future__ import annotations

from typing import Any

import pytest

from meterhouse.extraction.handwritten import read_plan
from meterhouse.kernel.errors import Invalid

FIELDS = {"title": "h3"}
LIST = {"container": {"selector": "article"}, "fields": FIELDS}
API = {"kind": "api", "fields": {"title": {"source": "json", "selector": "title"}}}
URL = {"url": "https://shop.example/api"}


def nested(levels: int) -> dict[str, Any]:
    field: dict[str, Any] = {"selector": "a"}
    for _ in range(levels):
        field = {"selector": "a", "alternates": [field]}
    return {**LIST, "fields": {"title": field}}


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ("h3", ()),
        (nested(2_000), ()),
        ({**LIST, "request": "x" * 300_000}, ()),
        ({**LIST, "fields": {}}, ("fields",)),
        ({**LIST, "fields": {" ": "a"}}, ("fields",)),
        ({**LIST, "containers": {}}, ("containers",)),
        ({"fields": FIELDS}, ("container", "selector")),
        ({**LIST, "container": {"selector": "a[["}}, ("container", "selector")),
        ({**LIST, "container": {"selector": "a", "alternates": ["::x"]}}, ("container", "alternates", 0)),
        ({**LIST, "container": {"selector": "a", "require": ["price"]}}, ("container", "require", 0)),
        ({**LIST, "fields": {"title": {"selector": "!"}}}, ("fields", "title", "selector")),
        ({**LIST, "fields": {"title": {"regex": "("}}}, ("fields", "title", "regex")),
        ({**LIST, "fields": {"title": {"regex": "(a|aa)+$"}}}, ("fields", "title", "regex")),
        (
            {**LIST, "fields": {"t": {"alternates": [{"trim": "["}]}}},
            ("fields", "t", "alternates", 0, "trim"),
        ),
        ({**LIST, "paging": {"kind": "link", "max_pages": 0}}, ("paging", "max_pages")),
        ({**LIST, "paging": {"kind": "link", "selector": "a[["}}, ("paging", "selector")),
        ({**LIST, "fields": {"title": {"type": "text"}}}, ("fields", "title", "type")),
        ({**API}, ("api",)),
        ({**API, "api": {**URL, "tokens": {"t": {"selector": "a[["}}}}, ("api", "tokens", "t", "selector")),
        ({**API, "api": {"url": "ftp://x"}}, ("api", "url")),
        ({**API, "api": {**URL, "page": "x"}}, ("api", "page")),
        ({**API, "api": {**URL, "headers": {"host": "x"}}}, ("api", "headers", "host")),
        ({**API, "api": {**URL, "headers": {"a b": "x"}}}, ("api", "headers", "a b")),
        ({**API, "api": {**URL, "headers": {"x-a": "1\r\nx-b: 2"}}}, ("api", "headers", "x-a")),
    ],
)
def test_faults_are_named(document: object, path: tuple[str | int, ...]) -> None:
    with pytest.raises(Invalid) as refused:
        read_plan(document)
    assert refused.value.issues[0].path == path
    assert (".".join(map(str, path)) or "document") in str(refused.value)


@pytest.mark.parametrize(
    "document",
    [
        LIST,
        {"kind": "content"},
        {**LIST, "container": {"mode": "page"}},
        {**LIST, "fields": {"price": {"selector": "b", "regex": "{money}", "trim": r"\d+"}}},
        {**API, "api": {**URL, "headers": {"authorization": "Bearer x"}}},
    ],
)
def test_what_can_be_run(document: dict[str, Any]) -> None:
    assert read_plan(document).kind == document.get("kind", "css")
