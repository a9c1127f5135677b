from __future__ import annotations

import json

import pytest

from meterhouse.extraction.engine import structured
from meterhouse.extraction.engine.document import parse
from meterhouse.extraction.model import Page


def leaves(script: str, source: str = "state") -> dict[str, list[str]]:
    document = parse(Page("https://a.example/", f"<html><body>{script}<p>x</p></body></html>"))
    return dict(structured.read(document, {source}).leaves[source])


@pytest.mark.parametrize(
    "script",
    [
        '<script id="__NEXT_DATA__" type="application/json">{"lamp": {"name": "Brass"}}</script>',
        '<script>window.__DATA__ = {"lamp": {"name": "Brass"}};</script>',
        '<script>var state={"lamp": {"name": "Brass"}}; start();</script>',
        '<script>window["state"] = {"lamp": {"name": "Brass"}}</script>',
        '<script>state = JSON.parse("{\\"lamp\\": {\\"name\\": \\"Brass\\"}}")</script>',
        '<script>self.__next_f.push([1,"5:{\\"lamp\\":{\\"na"])</script>'
        '<script>self.__next_f.push([1,"me\\":\\"Brass\\"}}\\n"])</script>',
    ],
)
def test_state_is_read_wherever_it_is_kept(script: str) -> None:
    assert [values for path, values in leaves(script).items() if path.endswith("lamp.name")] == [["Brass"]]


@pytest.mark.parametrize(
    "script",
    [
        "<script>window.x = {broken: 'json'</script>",
        "<script>if (a = [b]) { alert(1) }</script>",
        "<script>window.x = JSON.parse(\"{'no': 1}\")</script>",
        '<script type="application/json">' + "[" * 5_000 + "</script>",
        '<script>self.__next_f.push([1,"5:{\\"cut"])</script>',
    ],
)
def test_what_is_not_json_is_passed_over(script: str) -> None:
    assert leaves(script) == {}


def test_broken_linked_data_loses_only_itself() -> None:
    good = json.dumps({"@type": "Product", "name": "Brass"})
    kind = 'type="application/ld+json"'
    found = leaves(f"<script {kind}>{{,}}</script><script {kind}>{good}</script>", "jsonld")
    assert found == {"Product.name": ["Brass"]}
