"""Data that pages carry for machines: JSON-LD, microdata, OpenGraph and other meta tags, embedded state."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from lxml.html import HtmlElement

from meterhouse.extraction.engine.document import Document, absolute, squeeze, text_of
from meterhouse.extraction.engine.words import words_of

SCRIPT_CHARS_MAX = 3_000_000
LEAVES_MAX = 4_000
DEPTH_MAX = 14

_SCALAR = (str, int, float)
_URLS = {"a": "href", "link": "href", "area": "href", "img": "src", "iframe": "src", "video": "src"}
_TAGS = re.compile(r"<[^<>]{1,300}>")
_MAIN_TYPES = frozenset(
    words_of(
        "article newsarticle reportagenewsarticle blogposting recipe product event musicrecording"
        " book movie tvepisode person jobposting creativework organization place videoobject"
        " medicalstudy sportsevent webpage"
    )
)


@dataclass(frozen=True)
class Data:
    """Leaves by source: a path of keys joined by dots, and every value found there in order."""

    leaves: Mapping[str, Mapping[str, list[str]]] = field(default_factory=dict)

    def values(self, source: str, path: str) -> list[str]:
        return list(self.leaves.get(source, {}).get(path, []))


def read(document: Document) -> Data:
    """Collect all leaves; broken blocks are passed over, since one bad script must not lose a page."""
    leaves: dict[str, dict[str, list[str]]] = {"jsonld": {}, "microdata": {}, "meta": {}, "state": {}}
    for script in document.root.iter("script"):
        kind = (script.get("type") or "").split(";")[0].strip().lower()
        text = script.text or ""
        if len(text) > SCRIPT_CHARS_MAX:
            continue
        if kind == "application/ld+json":
            for block in _blocks(_loads(text)):
                _flatten(block, _type_of(block), leaves["jsonld"], 0)
        elif kind == "application/json" or script.get("id") == "__NEXT_DATA__":
            _flatten(_loads(text), "", leaves["state"], 0)
    for scope in document.root.iter():
        if (
            isinstance(scope.tag, str)
            and scope.get("itemscope") is not None
            and scope.get("itemprop") is None
        ):
            _microdata(scope, _short(scope.get("itemtype")), leaves["microdata"], document.base, 0)
    _meta(document.root, leaves["meta"])
    return Data(leaves)


def _loads(text: str) -> object:
    text = text.strip().removeprefix("<!--").removesuffix("-->").strip().rstrip(";")
    for attempt in (text, re.sub(r",\s*([\]}])", r"\1", text)):
        try:
            return json.loads(attempt, strict=False)
        except (ValueError, RecursionError):
            continue
    return None


def _blocks(value: object, depth: int = 0) -> Iterator[dict[str, object]]:
    if depth > 4:
        return
    if isinstance(value, list):
        for one in value[:200]:
            yield from _blocks(one, depth + 1)
    elif isinstance(value, dict):
        if "@graph" in value:
            yield from _blocks(value["@graph"], depth + 1)
        else:
            yield value


def _type_of(block: Mapping[str, object]) -> str:
    kind = block.get("@type")
    if isinstance(kind, list):
        kind = next(
            (one for one in kind if isinstance(one, str) and one.lower() in _MAIN_TYPES),
            kind[0] if kind else "",
        )
    return _short(kind) if isinstance(kind, str) else ""


def _short(kind: str | None) -> str:
    return (kind or "").rstrip("/").rsplit("/", 1)[-1].rsplit("#", 1)[-1].replace(".", "_")


def _flatten(value: object, path: str, leaves: dict[str, list[str]], depth: int) -> None:
    if depth > DEPTH_MAX or len(leaves) > LEAVES_MAX:
        return
    if isinstance(value, dict):
        for key, one in value.items():
            if key not in {"@context", "@id", "@type"}:
                _flatten(one, f"{path}.{key}".lstrip(".").replace("@", ""), leaves, depth + 1)
    elif isinstance(value, list):
        for one in value[:300]:
            _flatten(one, path, leaves, depth + 1)
    elif isinstance(value, _SCALAR) and not isinstance(value, bool):
        text = squeeze(_TAGS.sub(" ", _unescape(str(value)[:20_000])))
        if text:
            leaves.setdefault(path, []).append(text)


def _unescape(text: str) -> str:
    return html.unescape(text) if "&" in text else text


def _microdata(scope: HtmlElement, path: str, leaves: dict[str, list[str]], base: str, depth: int) -> None:
    if depth > DEPTH_MAX or len(leaves) > LEAVES_MAX:
        return
    stack = list(scope)[::-1]
    while stack:
        element = stack.pop()
        names = element.get("itemprop") if isinstance(element.tag, str) else None
        nested = isinstance(element.tag, str) and element.get("itemscope") is not None
        for name in (names or "").split()[:3]:
            where = f"{path}.{name.replace('.', '_')}"
            if nested:
                _microdata(element, where, leaves, base, depth + 1)
            elif value := _property(element, base):
                leaves.setdefault(where, []).append(value)
        if not nested:
            stack.extend(list(element)[::-1])


def _property(element: HtmlElement, base: str) -> str | None:
    if element.get("content"):
        return squeeze(element.get("content"))
    if element.tag in _URLS and element.tag != "a":
        return absolute(element.get(_URLS[element.tag]) or "", base)
    if element.tag == "time" and element.get("datetime"):
        return squeeze(element.get("datetime"))
    return text_of(element) or None


def _meta(root: HtmlElement, leaves: dict[str, list[str]]) -> None:
    for element in root.iter("meta"):
        name = element.get("property") or element.get("name")
        content = squeeze(element.get("content"))
        if name and content and len(leaves) < LEAVES_MAX:
            leaves.setdefault(name.strip().lower(), []).append(content)
    title = root.find(".//title")
    if title is not None and squeeze(title.text):
        leaves.setdefault("title", []).append(squeeze(title.text))
