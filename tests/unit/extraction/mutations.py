"""The same page served otherwise: records moved, added and gone, build-made names new, a new wrapper."""

from __future__ import annotations

import copy
import json
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from lxml.html import HtmlElement

from meterhouse.extraction.engine import structured
from meterhouse.extraction.engine.document import parse
from meterhouse.extraction.engine.reading import item_of, records_of
from meterhouse.extraction.engine.values import Record
from meterhouse.extraction.engine.words import words_of
from meterhouse.extraction.model import Item, Page, Strategy

Records = list[list[HtmlElement]]

# Told by the eye: letters and digits mixed, or capitals in the middle of no word. Not the engine's own rule.
_DIGIT_MIX = re.compile(r"(?=.*\d.*[A-Za-z].*\d|.*[a-z]\d+[a-z])[A-Za-z0-9]{4,}")
_CASE_MIX = re.compile(r"(?=(?:.*[a-z][A-Z]){2})(?=.*[A-Z]{2}|.*[A-Z][a-z][A-Z])[A-Za-z0-9]{5,}")

_RAW = frozenset({"script", "style", "noscript", "iframe", "xmp"})
_VOID = frozenset(
    words_of("area base br col embed frame hr img input link meta param source track wbr keygen basefont")
)


@dataclass(frozen=True)
class Served:
    """A changed page, and which of the items found before it must still give."""

    page: Page
    expected: list[Item]


def one_thing(strategy: Strategy) -> bool:
    """True where no elements are the records: one record a page, or records in data."""
    return strategy.container.mode == "page" or strategy.container.source != "css"


def made_by_a_tool(name: str) -> bool:
    return any(_DIGIT_MIX.fullmatch(part) or _CASE_MIX.fullmatch(part) for part in re.split(r"[-_]+", name))


def reorder(records: Records, items: Sequence[Item], dice: random.Random) -> list[Item]:
    """Records change places among those of the same parent."""
    by_parent: dict[HtmlElement, Records] = {}
    for roots in records:
        by_parent.setdefault(roots[0].getparent(), []).append(roots)
    for parent, group in by_parent.items():
        if parent is None or len(group) < 2:
            continue
        at = parent.index(group[0][0])
        mixed = list(group)
        dice.shuffle(mixed)
        rest = [one for one in parent if not any(one in roots for roots in group)]
        before = sum(1 for one in rest if list(parent).index(one) < at)
        for roots in mixed:
            for root in roots:
                parent.remove(root)
        for offset, root in enumerate(root for roots in mixed for root in roots):
            parent.insert(before + offset, root)
    return list(items)


def remove(records: Records, items: Sequence[Item], dice: random.Random) -> list[Item]:
    """A fifth of the records is gone."""
    gone = set(dice.sample(range(len(records)), len(records) // 5))
    for at in gone:
        for root in records[at]:
            parent = root.getparent()
            if parent is not None:
                parent.remove(root)
    return [item for at, item in enumerate(items) if at not in gone]


def insert(records: Records, items: Sequence[Item], dice: random.Random) -> list[Item]:
    """New records of the same make stand among the old ones."""
    for at in dice.sample(range(len(records)), max(1, len(records) // 5)):
        roots = records[at]
        fresh = [copy.deepcopy(root) for root in roots]
        for root in fresh:
            for node in root.iter():
                if isinstance(node.tag, str) and node.text and node.text.strip().isalpha():
                    node.text = f"{node.text} anew"
        last = roots[-1]
        for root in reversed(fresh):
            last.addnext(root)
    return list(items)


def rename(records: Records, items: Sequence[Item], dice: random.Random) -> list[Item]:
    """Every class name that a build tool made is another one."""
    names: dict[str, str] = {}
    root = records[0][0].getroottree().getroot()
    for node in root.iter():
        value = node.get("class") if isinstance(node.tag, str) else None
        if value:
            node.set("class", " ".join(_name(one, names, dice) for one in value.split()))
    return list(items)


def _name(name: str, names: dict[str, str], dice: random.Random) -> str:
    return names.setdefault(name, _renamed(name, dice)) if made_by_a_tool(name) else name


def _renamed(name: str, dice: random.Random) -> str:
    parts = re.split(r"([-_]+)", name)
    fresh = "".join(dice.choice("abcdefghjkmnpqrstuvwxyz") for _ in range(3))
    return "".join(
        f"{fresh}{dice.randrange(10)}{part[1:4]}{dice.randrange(10)}z" if made_by_a_tool(part) else part
        for part in parts
    )


def wrap(records: Records, items: Sequence[Item], dice: random.Random) -> list[Item]:
    """What holds the records stands in one more box, of another name."""
    holder = records[0][0].getparent()
    while holder is not None and holder.tag in {"tbody", "tr", "table", "thead", "ul", "ol", "dl"}:
        if holder.tag in {"table", "ul", "ol", "dl"}:
            break
        holder = holder.getparent()
    if holder is None or holder.tag in {"html", "body"} or holder.getparent() is None:
        return list(items)
    box = holder.makeelement("div", {"class": "outer-frame"})
    holder.addprevious(box)
    box.tail, holder.tail = holder.tail, None
    box.append(holder)
    return list(items)


MUTATIONS: dict[str, Callable[[Records, Sequence[Item], random.Random], list[Item]]] = {
    "reordered": reorder,
    "removed": remove,
    "inserted": insert,
    "renamed": rename,
    "wrapped": wrap,
}


def served(page: Page, strategy: Strategy, items: Sequence[Item], mutation: str, seed: int = 7) -> Served:
    """The page changed in one way. `items` are those the strategy finds on the page, record by record."""
    document = parse(page)
    data = structured.read(document)
    records = [
        roots
        for roots in records_of(strategy.container, document)
        if item_of(strategy.container, strategy.fields, Record(roots, document, data)) is not None
    ]
    if one_thing(strategy) and mutation in {"reordered", "removed", "inserted", "wrapped"}:
        body = document.root.find("body")
        box = body.makeelement("div", {"class": "outer-frame"})
        for child in list(body):
            box.append(child)
        body.append(box)
        expected = list(items)
    else:
        expected = MUTATIONS[mutation](records, items, random.Random(seed))
    return Served(Page(page.url, f"<!doctype html>{written(document.root)}"), expected)


def written(root: HtmlElement) -> str:
    """The tree as HTML, addresses untouched (lxml's own writer would escape them)."""
    parts: list[str] = []
    stack: list[HtmlElement | str] = [root]
    while stack:
        node = stack.pop()
        if isinstance(node, str):
            parts.append(node)
            continue
        attrs = "".join(f' {name}="{escape(value)}"' for name, value in node.attrib.items())
        parts.append(f"<{node.tag}{attrs}>")
        parts.append((node.text or "") if node.tag in _RAW else escape(node.text or "", quote=False))
        stack.append("" if node.tag in _VOID else f"</{node.tag}>")
        for child in reversed(node):
            stack.append(escape(child.tail or "", quote=False))
            stack.append(child)
    return "".join(parts)


def right(served_page: Served, items: Sequence[Item]) -> int:
    """How many of the expected items are among those found, each counted once."""
    left = [json.dumps(item, sort_keys=True, ensure_ascii=False) for item in items]
    count = 0
    for wanted in served_page.expected:
        text = json.dumps(wanted, sort_keys=True, ensure_ascii=False)
        if text in left:
            left.remove(text)
            count += 1
    return count
