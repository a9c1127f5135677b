"""Labels and what they stand before: definition lists, header cells, "Price: 12" in markup, headings."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

from lxml.html import HtmlElement

from meterhouse.extraction.engine.document import HIDDEN_TAGS, INLINE_TAGS, squeeze, text_of
from meterhouse.extraction.engine.lexicon import alike, fold, tokens_of

LABEL_CHARS_MAX = 50
ITEMS_MAX = 300
SHORT_TEXT_CHARS_MAX = 80
ITEM_CHARS_MAX = 400
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_LINE_TAGS = INLINE_TAGS | {"br"}
_LABEL_TAGS = frozenset({*_HEADINGS, "dt", "th", "b", "strong", "label", "legend", "caption", "summary"})
_INLINE_PAIR = re.compile(r"^([^:：\d|]{2,40})\s*[:：]\s*(\S.{0,300})$", re.S)
_LABEL_CLASS = re.compile(r"label|caption|term|title|head|key|name|strong", re.I)


def label_pairs(roots: Sequence[HtmlElement], limit: int = 400) -> Iterator[tuple[str, str, HtmlElement]]:
    """Label, value and the element that holds the label, in document order."""
    count = 0
    for root in roots:
        for element in root.iter():
            if not isinstance(element.tag, str) or element.tag in HIDDEN_TAGS:
                continue
            for label, value in _pairs_at(element):
                yield label, value, element
                count += 1
                if count >= limit:
                    return


def label_value(roots: Sequence[HtmlElement], label: str) -> str | None:
    """The value of the first label that reads the same, case, accents and a final colon aside."""
    wanted = _bare(label)
    for found, value, _ in label_pairs(roots, 4_000):
        if _bare(found) == wanted:
            return value
    return None


def _bare(label: str) -> str:
    return fold(label.strip(" :：")).strip()


def _pairs_at(element: HtmlElement) -> Iterator[tuple[str, str]]:
    tag = element.tag
    if tag == "dt":
        values = []
        for follower in element.itersiblings():
            if follower.tag != "dd":
                break
            values.append(text_of(follower))
        if values:
            yield from _pair(text_of(element), " ".join(values))
        return
    if tag in {"th", "td"}:
        yield from _cell_pair(element)
    if len(element) == 0:
        yield from _short_label(element)
    elif tag in {"p", "li", "div", "span"} and squeeze(element.text) and _shallow(element):
        match = _INLINE_PAIR.match(text_of(element)[:400])
        if match:
            yield from _pair(match.group(1), match.group(2))


def _shallow(element: HtmlElement) -> bool:
    return len(element) <= 4 and all(child.tag in INLINE_TAGS for child in element)


def _cell_pair(cell: HtmlElement) -> Iterator[tuple[str, str]]:
    follower = cell.getnext()
    if follower is None or follower.tag != "td" or cell.getprevious() is not None:
        return
    label = text_of(cell)
    if cell.tag == "th" or label.endswith((":", "：")) or follower.getnext() is None:
        yield from _pair(label, text_of(follower))


def _short_label(element: HtmlElement) -> Iterator[tuple[str, str]]:
    text = squeeze(element.text)
    if not text or len(text) > 400:
        return
    match = _INLINE_PAIR.match(text)
    if match:
        yield from _pair(match.group(1), match.group(2))
        return
    colon = text.endswith((":", "："))
    tail = squeeze(element.tail).lstrip(":： ")
    if tail and (colon or squeeze(element.tail).startswith((":", "：")) or element.tag in {"b", "strong"}):
        yield from _pair(text, tail)
        return
    follower = element.getnext()
    labelled = colon or bool(_LABEL_CLASS.search(element.get("class") or ""))
    if follower is None and element.tag in {"b", "strong", "span", "p"} and element.getparent() is not None:
        follower = element.getparent().getnext() if len(element.getparent()) == 1 else None
    if follower is None or tail or not isinstance(follower.tag, str) or len(text) > LABEL_CHARS_MAX:
        return
    headed = follower.tag in _HEADINGS and element.tag not in _HEADINGS
    headed = headed or (element.tag in _HEADINGS[1:] and _alone_below(element, follower))
    if labelled or headed or (element.tag == follower.tag and element.tag in {"span", "div", "p"}):
        yield from _pair(text, text_of(follower))


def _alone_below(heading: HtmlElement, follower: HtmlElement) -> bool:
    """True for one short text below a heading, up to the next one or the end."""
    after = follower.getnext()
    ends = after is None or after.tag == heading.tag
    return ends and follower.tag in {"p", "div", "span"} and len(text_of(follower)) <= SHORT_TEXT_CHARS_MAX


def _pair(label: str, value: str) -> Iterator[tuple[str, str]]:
    label = label.strip(" :：")
    if label and value and len(label) <= LABEL_CHARS_MAX and label != value:
        yield label, value


def labels_like(root: HtmlElement, words: Collection[str]) -> Iterator[tuple[str, HtmlElement]]:
    """Headings and short labels of which a word is among the folded words, in document order."""
    for element in root.iter():
        if not isinstance(element.tag, str) or element.tag in HIDDEN_TAGS or len(element) > 3:
            continue
        text = text_of(element)
        if not 1 < len(text) <= LABEL_CHARS_MAX or not _label_like(element, text):
            continue
        tokens = tokens_of(text)
        if len(tokens) <= 4 and any(alike(word, token) for word in words for token in tokens):
            yield text.strip(" :："), element


def _label_like(element: HtmlElement, text: str) -> bool:
    if element.tag in _LABEL_TAGS or text.endswith((":", "：")):
        return True
    return bool(_LABEL_CLASS.search(element.get("class") or "")) or element.tag in {"p", "span", "div"}


def label_items(roots: Sequence[HtmlElement], label: str) -> list[str]:
    """The items that stand below a heading or behind a label, up to the next one of its kind."""
    wanted = _bare(label)
    for root in roots:
        for element in root.iter():
            if not isinstance(element.tag, str) or element.tag in HIDDEN_TAGS or len(element) > 3:
                continue
            text = text_of(element)
            if len(text) <= LABEL_CHARS_MAX + 2 and _bare(text) == wanted:
                items = _items(_block(element)) or _bare_lines(element)
                if items:
                    return items
    return []


def _block(label: HtmlElement) -> list[HtmlElement]:
    """The elements after a label: its siblings, or those of the wrapper that holds nothing else."""
    node = label
    for _ in range(4):
        parent = node.getparent()
        if parent is None or text_of(parent) != text_of(label):
            break
        node = parent
    rank = _rank(label)
    block: list[HtmlElement] = []
    for follower in node.itersiblings():
        if not isinstance(follower.tag, str) or follower.tag in HIDDEN_TAGS:
            continue
        if rank > _rank(follower) or rank == _rank(follower) < 9 or _another(node, follower):
            break
        block.append(follower)
    return block


def _bare_lines(label: HtmlElement) -> list[str]:
    """The lines after a label that stand beside it in no element of their own, parted by line breaks."""
    lines = [squeeze(label.tail)]
    for follower in label.itersiblings():
        if follower.tag == "br":
            lines.append("")
        elif follower.tag in INLINE_TAGS and _rank(follower) == 9 and not _another(label, follower):
            lines[-1] = squeeze(f"{lines[-1]} {text_of(follower)}")
        else:
            break
        lines[-1] = squeeze(f"{lines[-1]} {follower.tail or ''}")
    return [_unmarked(line) for line in lines if line and len(line) <= ITEM_CHARS_MAX][:ITEMS_MAX]


def _another(label: HtmlElement, follower: HtmlElement) -> bool:
    """True for the next label of the same make; plain boxes all look alike and say nothing."""
    alike_made = follower.tag == label.tag and follower.get("class") == label.get("class")
    return alike_made and label.tag not in {"div", "p", "span", "a"}


def _rank(element: HtmlElement) -> int:
    """The level of a heading, that of a heading held first in a wrapper, or 9 for anything else."""
    first = element if element.tag in _HEADINGS else next(iter(element), None)
    return _HEADINGS.index(str(first.tag)) if first is not None and first.tag in _HEADINGS else 9


def _items(block: Sequence[HtmlElement]) -> list[str]:
    """List items, links where there is little else, or the lines of the block."""
    whole = sum(len(text_of(one)) for one in block)
    if not whole:
        return []
    for tag, least in (("li", 0.5), ("a", 0.6)):
        every = [one for part in block for one in part.iter(tag)]
        found = [one for one in every if next(one.iterdescendants(tag), None) is None]
        texts = [text for one in found if (text := text_of(one))]
        if len(texts) > (tag == "li") and sum(len(text) for text in texts) >= least * whole:
            return [_unmarked(text) for text in texts[:ITEMS_MAX]]
    lines = [line for part in block for line in _lines(part) if len(line) <= ITEM_CHARS_MAX]
    return [_unmarked(line) for line in lines[:ITEMS_MAX]]


def _unmarked(text: str) -> str:
    """An item without the bullet that some pages write as text."""
    return text.lstrip("•·▪◦‣●○* ").rstrip() or text


def _lines(element: HtmlElement) -> Iterator[str]:
    """The texts of an element's innermost blocks, parted at line breaks; headings are left out."""
    if element.tag in _HEADINGS or element.tag in HIDDEN_TAGS:
        return
    if any(isinstance(child.tag, str) and child.tag not in _LINE_TAGS for child in element):
        for child in element:
            if isinstance(child.tag, str):
                yield from _lines(child)
        return
    line: list[str] = [element.text or ""]
    for child in element:
        if child.tag == "br":
            if text := squeeze("".join(line)):
                yield text
            line = []
        else:
            line.append(text_of(child))
        line.append(child.tail or "")
    if text := squeeze("".join(line)):
        yield text


def heading_before(element: HtmlElement) -> str | None:
    """The nearest short heading before an element or before what holds it."""
    node: HtmlElement | None = element
    for _ in range(4):
        if node is None:
            return None
        for before in node.itersiblings(preceding=True):
            if before.tag in {*_HEADINGS, "strong", "b", "p"} and len(text_of(before)) < 60:
                return text_of(before) or None
        node = node.getparent()
    return None
