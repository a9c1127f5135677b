"""From bytes to a bounded tree: decoding, parsing, and the few questions all modules ask of a node."""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeVar
from urllib.parse import urljoin, urlsplit

from lxml import etree
from lxml.html import HtmlElement, HTMLParser, document_fromstring

from meterhouse.extraction.engine.words import words_of
from meterhouse.extraction.model import ExtractionFailed, Page

V = TypeVar("V")

PAGE_BYTES_MAX = 20_000_000
NODES_MAX = 400_000
DEPTH_MAX = 400
CONTROLS_SHARE_MAX = 0.05

_CONTROL_BYTES = bytes({*range(32)} - {9, 10, 12, 13, 27})
HEAD_CHARS = 4_000
_ODD_CHARS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\ufffd]")
_COUNT_NODES = etree.XPath("count(//*)")
_SPACE = re.compile(r"[\s\u00a0\u200b\u200e\u200f\ufeff\u00ad]+")
_META_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_.:-]{2,40})", re.I)
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_HIDDEN_STYLE = re.compile(r"display\s*:\s*none", re.I)
HIDDEN_TAGS = frozenset(
    {"script", "style", "noscript", "svg", "iframe", "head", "object", "canvas", "option"}
)
INLINE_TAGS = frozenset(
    words_of(
        "a abbr acronym b bdi bdo big cite code data dfn em font i ins kbd label mark q ruby rt s"
        " samp small span strike strong sub sup time tt u var wbr del img"
    )
)


class Memo(dict[HtmlElement, V]):
    """What was found out about elements of one page, each once."""

    def __init__(self, find: Callable[[HtmlElement], V]) -> None:
        super().__init__()
        self._find = find

    def __missing__(self, element: HtmlElement) -> V:
        found = self[element] = self._find(element)
        return found


_ONE_TEXT = frozenset({"a", "h1", "h2", "h3", "h4", "h5", "h6"})
_BLOCKS = frozenset(
    {"div", "p", "ul", "ol", "li", "table", "section", "article", "dl", "h2", "h3", "h4", "h5"}
)
_SEPARATORS = " \t\r\n\xa0|•·,;:-–—/()[]»«>."
_EMPHASIS = frozenset({"b", "i", "em", "strong", "mark", "font", "wbr", "sup", "sub", "u"})


@dataclass(frozen=True)
class Document:
    """A parsed page. `base` is what relative links are resolved against.

    `texts` and `breadths` hold what was found out about elements, see `text_of` and `breadth_of`.
    """

    url: str
    base: str
    root: HtmlElement
    texts: Memo[str] = field(default_factory=lambda: Memo(text_of), compare=False, repr=False)
    breadths: Memo[float] = field(default_factory=lambda: Memo(breadth_of), compare=False, repr=False)


def parse(page: Page) -> Document:
    """Parse within bounds on bytes, nodes and depth; raises `ExtractionFailed` naming the bound."""
    root = _tree(CONTROL.sub("", page_text(page)).encode("utf-8", "replace"))
    return Document(page.url, _base_of(root, page.url), root)


def page_text(page: Page) -> str:
    """The page as text, if it is text and of a size that can be parsed."""
    text = decode(page.html)
    if not text.strip():
        raise ExtractionFailed("The page is empty.", reason="empty", evidence={"bytes": len(page.html)})
    opened = text.count("<") - text.count("</") if len(text) > 2 * NODES_MAX else 0
    if opened > 2 * NODES_MAX:  # parsing alone would take more memory than one page is worth
        raise _too_large(opened, 0)
    return text


def _tree(html: bytes) -> HtmlElement:
    """The parser itself stops at some 250 levels, where few pages are; those few are read and measured."""
    parser = HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    try:
        root = document_fromstring(html, parser=parser)
        last = parser.error_log.last_error
        if last is not None and last.type == etree.ErrorTypes.ERR_RESOURCE_LIMIT:
            parser = HTMLParser(encoding="utf-8", huge_tree=True, remove_comments=True, remove_pis=True)
            root = document_fromstring(html, parser=parser)
            _refuse_depth(root)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError, AssertionError) as fault:
        raise ExtractionFailed(
            "The page could not be read as HTML.", reason="unreadable", evidence={"fault": str(fault)[:200]}
        ) from fault
    nodes = int(_COUNT_NODES(root))
    if nodes > NODES_MAX:
        raise _too_large(nodes, 0)
    return root


def decode(html: str | bytes) -> str:
    """Decode bytes: byte order mark, then valid UTF-8, then the charset the page names, then windows-1252."""
    size = len(html)
    if size > PAGE_BYTES_MAX:
        raise ExtractionFailed(
            f"The page has {size} bytes; the limit is {PAGE_BYTES_MAX}.",
            reason="too_large",
            evidence={"bytes": size, "bytes_max": PAGE_BYTES_MAX},
        )
    head = html[:HEAD_CHARS]
    if isinstance(head, str):
        odd = len(_ODD_CHARS.findall(head))
    else:
        marked = head.startswith((b"\xff\xfe", b"\xfe\xff"))
        odd = 0 if marked else len(head) - len(head.translate(None, _CONTROL_BYTES))
    if odd > CONTROLS_SHARE_MAX * len(head):
        raise ExtractionFailed("The page is not text.", reason="unreadable", evidence={"bytes": size})
    return html if isinstance(html, str) else _decode_bytes(html)


def _decode_bytes(html: bytes) -> str:
    for mark, name in ((codecs.BOM_UTF8, "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if html.startswith(mark):
            return html.decode(name, "replace")
    try:
        return html.decode("utf-8")
    except UnicodeDecodeError:
        pass
    named = _META_CHARSET.search(html[:4096])
    for name in (named.group(1).decode("ascii") if named else "", "windows-1252"):
        try:
            if codecs.lookup(name).name not in {"utf-7", "idna", "punycode"}:
                return html.decode(name, "replace")
        except LookupError:
            continue
    return html.decode("latin-1")


def _refuse_depth(root: HtmlElement) -> None:
    nodes = depth = 0
    for event, _ in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        nodes += event == "start"
        if nodes > NODES_MAX or depth > DEPTH_MAX:
            raise _too_large(nodes, depth)


def _too_large(nodes: int, depth: int) -> ExtractionFailed:
    return ExtractionFailed(
        f"The page passes the limit of {NODES_MAX} elements or {DEPTH_MAX} levels.",
        reason="too_large",
        evidence={"nodes": nodes, "depth": depth, "nodes_max": NODES_MAX, "depth_max": DEPTH_MAX},
    )


def _base_of(root: HtmlElement, url: str) -> str:
    for element in root.iter("base"):
        href = element.get("href")
        if href:
            return absolute(href, url) or url
    return url


@lru_cache(maxsize=20_000)
def absolute(link: str, base: str) -> str | None:
    """The link as an absolute http(s) or mailto address, or `None` when it leads nowhere."""
    link = link.strip()
    if not link or link.startswith(("javascript:", "data:", "about:", "blob:")) or link == "#":
        return None
    try:
        joined = urljoin(base, link)
        scheme = urlsplit(joined).scheme
    except ValueError:
        return None
    return joined if scheme in {"http", "https", "mailto", "tel", "ftp"} else None


def squeeze(text: str | None) -> str:
    """White space and invisible marks collapsed to single spaces, ends trimmed."""
    return _SPACE.sub(" ", text).strip() if text else ""


def fold_text(text: str) -> str:
    """Lower case without accents, for comparing with plain words."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return unicodedata.normalize("NFC", "".join(char for char in plain if not unicodedata.combining(char)))


def hidden(element: HtmlElement) -> bool:
    """True for nodes that a reader never sees. Judged by the markup alone: no style sheet is read."""
    tag = element.tag
    if not isinstance(tag, str) or tag in HIDDEN_TAGS:
        return True
    if element.get("hidden") is not None:
        return True
    style = element.get("style")
    return bool(style and _HIDDEN_STYLE.search(style))


def text_of(element: HtmlElement) -> str:
    """All the text of an element as one line; blocks are parted by a space, hidden parts are left out."""
    if len(element) == 0:
        return squeeze(element.text)
    parts: list[str] = []
    _gather(element, parts)
    return squeeze("".join(parts))


def _gather(element: HtmlElement, parts: list[str]) -> None:
    if element.text:
        parts.append(element.text)
    for child in element:
        block = child.tag not in INLINE_TAGS
        if block:
            parts.append(" ")
        if isinstance(child.tag, str) and child.tag not in HIDDEN_TAGS:
            _gather(child, parts)
        if block:
            parts.append(" ")
        if child.tail:
            parts.append(child.tail)


def pieces_of(element: HtmlElement) -> list[str]:
    """The direct text runs of an element, in order: its own words between its children."""
    return trimmed_pieces(squeeze(run) for run in (element.text, *(child.tail for child in element)))


def trimmed_pieces(runs: Iterable[str]) -> list[str]:
    """The runs that hold more than separators, without half a pair of brackets."""
    return [_unbracketed(run) for run in runs if run.strip(" |•·,;:-–—/()[]»«>")]


def _unbracketed(run: str) -> str:
    """Brackets that open or close around a neighbouring element are no part of the run."""
    if run.count("(") > run.count(")"):
        run = run.removesuffix("(").rstrip()
    return run.removeprefix(")").lstrip() if run.count(")") > run.count("(") else run


def classes_of(element: HtmlElement) -> list[str]:
    value = element.get("class")
    return value.split() if value else []


def breadth_of(element: HtmlElement) -> float:
    """How many elements hold the words of an element; one for a plain leaf, emphasis inside it aside."""
    holders = int(_speaks(element))
    for child in element.iterdescendants():
        stressed = child.tag in _EMPHASIS and (parent := child.getparent()) is not None and _speaks(parent)
        if not stressed and _speaks(child):
            holders += 1
    breadth = float(max(1, holders))
    if element.tag in _ONE_TEXT and not any(one.tag in _BLOCKS for one in element.iterdescendants()):
        return 1 + (breadth - 1) / 4  # the parts of a heading or a link are read as one
    return breadth


def _speaks(element: HtmlElement) -> bool:
    """True for an element with words of its own, separators between its children aside."""
    runs = (element.text, *(child.tail for child in element))
    return any(run and run.strip(_SEPARATORS) for run in runs)
