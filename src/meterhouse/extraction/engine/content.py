"""The main text of a page, split at its headings; menus, asides and cookie banners left out."""

from __future__ import annotations

import re

from lxml.html import HtmlElement

from meterhouse.extraction.engine.document import HIDDEN_TAGS, Document, hidden, squeeze, text_of
from meterhouse.extraction.model import Item

SECTIONS_MAX = 1_000
_LEVELS = {f"h{level}": level for level in range(1, 7)}
_BLOCKS = frozenset({"p", "pre", "blockquote", "li", "dt", "dd", "td", "th", "figcaption"})
_BOILERPLATE_TAGS = frozenset({"nav", "footer", "aside", "form", "button", "select", "menu", "dialog"})
_BOILERPLATE = re.compile(
    r"(?:^|[\s_-])(?:nav|navbar|navigation|menu|footer|sidebar|side|cookie|cookies|consent|banner|breadcrumbs?|share|sharing"
    r"|social|related|recommended|promo|advert|ads?|newsletter|subscribe|comments?|popup|modal|skip|widget|toolbar|pagination"
    r"|pager)(?:$|[\s_-])",
    re.I,
)
# Names that menus bear, but also the menus of restaurants: only links make them a side matter.
_MENU = re.compile(
    r"(?:^|[\s_-])(?:nav|navbar|navigation|menu|banner|share|sharing|social|toolbar)(?:$|[\s_-])", re.I
)
_MAIN = ("//main", "//*[@role='main']", "//article", "//*[@itemprop='articleBody']")


def sections(document: Document) -> list[Item]:
    """One item per heading: `heading`, `level`, and the text up to the next heading as `content`."""
    found: list[Item] = []
    heading, level, lines = "", 0, list[str]()
    main = main_of(document.root)
    for element, kind in _walk(main, 0.4 * _paragraph_chars(main)):
        if kind:
            _close(found, heading, level, lines)
            heading, level, lines = text_of(element), kind, []
        else:
            line = text_of(element)
            if line and (not lines or lines[-1] != line):
                lines.append(line)
    _close(found, heading, level, lines)
    return found[:SECTIONS_MAX]


def main_of(root: HtmlElement) -> HtmlElement:
    """The smallest element that holds most of the paragraph text, a marked main element preferred."""
    body = root.find("body")
    body = root if body is None else body
    total = _paragraph_chars(body)
    for path in _MAIN:
        for element in root.xpath(path)[:20]:
            if _paragraph_chars(element) >= 0.5 * total > 0:
                return element
    node = body
    for _ in range(200):
        best = max(node, key=_paragraph_chars, default=None)
        if best is None or _paragraph_chars(best) < 0.75 * total or best.tag in _BLOCKS:
            return node
        node = best
    return node


def menu_named(element: HtmlElement) -> bool:
    """True where only a name makes a side matter, and one that menus of dishes bear too."""
    names = f"{element.get('class') or ''} {element.get('id') or ''}"
    plain = element.tag not in _BOILERPLATE_TAGS and not element.get("role")
    return plain and bool(_MENU.search(names)) and not _BOILERPLATE.search(_MENU.sub(" ", names))


def boilerplate(element: HtmlElement) -> bool:
    """True for elements that by tag, role or name are not part of the main text."""
    if hidden(element) or element.tag in _BOILERPLATE_TAGS:
        return True
    if element.get("role") in {"navigation", "banner", "contentinfo", "complementary", "dialog", "search"}:
        return True
    if element.tag in {"body", "main", "article", "html"}:
        return False
    return bool(_BOILERPLATE.search(f"{element.get('class') or ''} {element.get('id') or ''}"))


def _paragraph_chars(element: HtmlElement) -> int:
    if not isinstance(element.tag, str) or element.tag in HIDDEN_TAGS:
        return 0
    return sum(
        len(squeeze(p.text)) + sum(len(c.tail or "") for c in p) for p in element.iter("p", "li", "pre")
    )


def _walk(root: HtmlElement, most: float) -> list[tuple[HtmlElement, int]]:
    """Headings with their level and text blocks with 0, in document order."""
    found: list[tuple[HtmlElement, int]] = []
    stack = [root]
    while stack:
        element = stack.pop()
        if not isinstance(element.tag, str) or element.tag in HIDDEN_TAGS:
            continue
        if element is not root and boilerplate(element) and _paragraph_chars(element) <= most:
            continue
        if element.tag in _LEVELS:
            if text_of(element):
                found.append((element, _LEVELS[element.tag]))
            continue
        if _is_block(element):
            found.append((element, 0))
            continue
        stack.extend(reversed(list(element)))
    return found


def _is_block(element: HtmlElement) -> bool:
    if any(
        inner.tag in _LEVELS or inner.tag in {"p", "ul", "ol", "table"} for inner in element.iterdescendants()
    ):
        return False
    if element.tag in _BLOCKS:
        return True
    return bool(squeeze(element.text)) or any(squeeze(child.tail) for child in element)


def _close(found: list[Item], heading: str, level: int, lines: list[str]) -> None:
    if heading or lines:
        found.append({"heading": heading, "level": level, "content": "\n".join(lines)})
