"""The same reading on a faster parser, for strategies that need nothing but selectors.

The two parsers build the same tree from well-formed pages and may differ on others, so a strategy is
marked to be read this way only after both readings of its own page gave the same items.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from selectolax.lexbor import LexborHTMLParser, LexborNode, SelectolaxError

from meterhouse.extraction.engine.document import (
    CONTROL,
    DEPTH_MAX,
    HIDDEN_TAGS,
    INLINE_TAGS,
    absolute,
    page_text,
    squeeze,
    trimmed_pieces,
)
from meterhouse.extraction.engine.kinds import cut
from meterhouse.extraction.engine.reading import RECORDS_MAX, RUN_SIBLINGS_MAX
from meterhouse.extraction.engine.values import REGEX_INPUT_CHARS_MAX, URL_ATTRIBUTES, VALUES_MAX
from meterhouse.extraction.model import Field, Item, Page, Strategy

Find = Callable[[Sequence[LexborNode], bool], list[LexborNode]]
Read = Callable[[LexborNode], str | None]

_STEP = re.compile(r"([a-z][a-z0-9-]*)(?::nth-of-type\((\d+)\))?")
_SCOPE = ":scope"


class Unreadable(Exception):
    """This page or strategy needs the full reading."""


def readable(strategy: Strategy) -> bool:
    """True when every part of the strategy can be read by selectors alone."""
    selectors = [strategy.container.selector, *(one.selector for one in strategy.fields.values())]
    plain = all(one.source == "css" for one in strategy.fields.values())
    scoped = all(_SCOPE not in one or _steps(one) is not None for one in selectors)
    return strategy.kind == "css" and plain and scoped and not strategy.container.header


def extract(strategy: Strategy, page: Page) -> list[Item]:
    """The flat items of a page, as the full reading gives them; raises `Unreadable` where it cannot."""
    parser = LexborHTMLParser(page_text(page).encode("utf-8", "replace"))
    root = parser.root
    if root is None:
        raise Unreadable
    base = _base(root, page.url)
    columns = [(name, _column(one, base)) for name, one in strategy.fields.items()]
    needed = strategy.container.require or tuple(strategy.fields)
    items: list[Item] = []
    try:
        for roots in _records(strategy, root):
            item: Item = {name: column(roots) for name, column in columns}
            if any(item[name] for name in needed if name in item):
                items.append(item)
    except (SelectolaxError, RecursionError) as fault:
        raise Unreadable from fault
    return items


def _base(root: LexborNode, url: str) -> str:
    for element in root.css("base[href]"):
        if href := element.attributes.get("href"):
            return absolute(href, url) or url
    return url


def _records(strategy: Strategy, root: LexborNode) -> Iterator[list[LexborNode]]:
    container = strategy.container
    if container.mode == "page":
        yield [root]
        return
    heads = root.css(container.selector)[:RECORDS_MAX]
    if container.mode == "each":
        for head in heads:
            if head.tag != "tr" or not _header_row(head):
                yield [head]
        return
    known = {head.mem_id for head in heads}
    for head in heads:
        yield _run_from(head, known)


def _header_row(row: LexborNode) -> bool:
    tags = [cell.tag for cell in row.iter()]
    return bool(tags) and all(tag == "th" for tag in tags)


def _run_from(head: LexborNode, known: set[int]) -> list[LexborNode]:
    roots = [head]
    follower = head.next
    while follower is not None and len(roots) < RUN_SIBLINGS_MAX:
        if follower.is_element_node:
            if follower.mem_id in known:
                break
            roots.append(follower)
        follower = follower.next
    return roots


def _column(one: Field, base: str) -> Callable[[Sequence[LexborNode]], object]:
    find, read = _finder(one.selector), _reader(one, base)
    patterns = [pattern for pattern in (one.regex, one.trim) if pattern is not None]

    def value_of(node: LexborNode) -> str | None:
        value = read(node)
        for pattern in patterns:
            value = squeeze(cut(pattern, value[:REGEX_INPUT_CHARS_MAX])) if value else None
        return value or None

    def first(roots: Sequence[LexborNode]) -> object:
        found = find(roots, False)
        return value_of(found[0]) if found else None

    def every(roots: Sequence[LexborNode]) -> object:
        values = [value for node in find(roots, True) if (value := value_of(node))]
        return values[:VALUES_MAX] or None

    return every if one.many else first


def _finder(selector: str) -> Find:
    if selector in {"", _SCOPE}:
        return lambda roots, many: list(roots[:1])
    steps = _steps(selector)
    if steps is not None:
        return lambda roots, many: _walk(roots, steps)
    return lambda roots, many: _select(selector, roots, many)


def _select(selector: str, roots: Sequence[LexborNode], many: bool) -> list[LexborNode]:
    if not many:
        for root in roots:
            if (first := root.css_first(selector)) is not None:
                return [first]
        return []
    return [match for root in roots for match in root.css(selector)]


@dataclass(frozen=True)
class _Step:
    tag: str
    nth: int


def _steps(selector: str) -> list[_Step] | None:
    """The child steps of `:scope > a > b:nth-of-type(2)`, or `None` for anything else."""
    parts = [part.strip() for part in selector.split(">")]
    if parts[0] != _SCOPE or len(parts) < 2:
        return None
    found = [_STEP.fullmatch(part) for part in parts[1:]]
    return [_Step(one.group(1), int(one.group(2) or 0)) for one in found if one] if all(found) else None


def _walk(roots: Sequence[LexborNode], steps: Sequence[_Step]) -> list[LexborNode]:
    nodes = list(roots)
    for step in steps:
        nodes = [child for node in nodes for child in _children(node, step)]
        if not nodes:
            break
    return nodes


def _children(node: LexborNode, step: _Step) -> Iterator[LexborNode]:
    at = 0
    for child in node.iter():
        if child.tag == step.tag:
            at += 1
            if not step.nth or at == step.nth:
                yield child


def _reader(one: Field, base: str) -> Read:
    attr, piece = one.attr, one.piece
    if attr is not None and attr in URL_ATTRIBUTES:
        return lambda node: absolute(_attribute(node, attr), base) if node.attributes.get(attr) else None
    if attr is not None:
        return lambda node: _attribute(node, attr) or None
    if piece is not None:
        return lambda node: _piece(node, piece)
    return lambda node: text_of(node) or None


def _attribute(node: LexborNode, name: str) -> str:
    return _clean(node.attributes.get(name) or "")


def _clean(text: str) -> str:
    """`squeeze` without its expression where there is nothing for it to do."""
    if "  " not in text and text.isprintable() and text.isascii():
        return text.strip(" ")
    return squeeze(CONTROL.sub("", text))


def text_of(node: LexborNode) -> str:
    first = node.first_child
    if first is None:
        return ""
    if first.next is None and first.is_text_node:
        return _clean(first.text_content or "")
    parts: list[str] = []
    _gather(node, parts, 0)
    return _clean("".join(parts))


def _gather(node: LexborNode, parts: list[str], depth: int) -> None:
    if depth > DEPTH_MAX:
        raise Unreadable
    child = node.first_child
    while child is not None:
        if child.is_text_node:
            parts.append(child.text_content or "")
        elif child.is_element_node:
            tag = child.tag
            block = tag not in INLINE_TAGS
            if block:
                parts.append(" ")
            if tag not in HIDDEN_TAGS:
                _gather(child, parts, depth + 1)
            if block:
                parts.append(" ")
        child = child.next


def _piece(node: LexborNode, piece: int) -> str | None:
    runs: list[list[str]] = [[]]
    child = node.first_child
    while child is not None:
        if child.is_text_node:
            runs[-1].append(child.text_content or "")
        elif child.is_element_node:
            runs.append([])
        child = child.next
    pieces = trimmed_pieces(_clean("".join(run)) for run in runs)
    return pieces[piece] if -len(pieces) <= piece < len(pieces) else None
