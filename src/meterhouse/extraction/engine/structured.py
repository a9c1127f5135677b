"""Data that pages carry for machines: JSON-LD, microdata, OpenGraph and other meta tags, embedded state."""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from lxml.etree import XPath
from lxml.html import HtmlElement

from meterhouse.extraction.engine.document import Document, absolute, squeeze, text_of
from meterhouse.extraction.engine.state import SCRIPT_CHARS_MAX, loads, script_data, streamed_data
from meterhouse.extraction.engine.words import words_of

SOURCES = ("jsonld", "microdata", "meta", "state")
LEAVES_MAX = 4_000
DEPTH_MAX = 14

_SCOPES = XPath("//*[@itemscope and not(@itemprop)]")
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


def read(document: Document, sources: Collection[str] = SOURCES) -> Data:
    """Collect the leaves of these sources; a broken block is passed over and loses no page."""
    leaves: dict[str, dict[str, list[str]]] = {source: {} for source in SOURCES}
    for source in ("jsonld", "state"):
        for name, value in blocks_of(document, source) if source in sources else ():
            _flatten(value, name, leaves[source], 0)
    if "microdata" in sources:
        for scope in _SCOPES(document.root):
            _microdata(scope, _short(scope.get("itemtype")), leaves["microdata"], document.base, 0)
    if "meta" in sources:
        _meta(document.root, leaves["meta"])
    return Data(leaves)


def blocks_of(document: Document, source: str) -> Iterator[tuple[str, object]]:
    """The data of a source as they stand, each with its name: a JSON-LD type, a variable, or none."""
    return _jsonld(document.root) if source == "jsonld" else _state(document.root)


def _jsonld(root: HtmlElement) -> Iterator[tuple[str, object]]:
    for script in root.iter("script"):
        text = script.text or ""
        if "ld+json" in (script.get("type") or "").lower() and len(text) <= SCRIPT_CHARS_MAX:
            for block in _blocks(loads(text)):
                yield _type_of(block), block


def _state(root: HtmlElement) -> Iterator[tuple[str, object]]:
    streamed: list[str] = []
    for script in root.iter("script"):
        kind = (script.get("type") or "").split(";")[0].strip().lower()
        text = script.text or ""
        if kind == "application/ld+json" or not text:
            continue
        if "__next_f" in text:
            streamed.append(text)
        whole = kind == "application/json" or script.get("id") == "__NEXT_DATA__"
        yield from script_data(text, whole)
    for value in streamed_data(streamed):
        yield "", value


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
