"""Labels and what they stand before: definition lists, header cells, and "Price: 12" in running markup."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from lxml.html import HtmlElement

from meterhouse.extraction.engine.document import HIDDEN_TAGS, INLINE_TAGS, squeeze, text_of
from meterhouse.extraction.engine.lexicon import fold

LABEL_CHARS_MAX = 50
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
    if labelled or (element.tag == follower.tag and element.tag in {"span", "div", "p"}):
        yield from _pair(text, text_of(follower))


def _pair(label: str, value: str) -> Iterator[tuple[str, str]]:
    label = label.strip(" :：")
    if label and value and len(label) <= LABEL_CHARS_MAX and label != value:
        yield label, value
