"""Mining groups of repeated records: candidates are selectors, ranked cheaply before anything costly is done.

A candidate is a set of elements that share a tag and one class, a tag and an attribute name, or a tag and a
place below an anchored parent. Sharing one class only makes zebra rows fall together; a place below a parent
that occurs several times makes the parts of one list in several containers fall together.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from lxml.html import HtmlElement

from meterhouse.extraction.engine.content import boilerplate, menu_named
from meterhouse.extraction.engine.document import HIDDEN_TAGS, classes_of, hidden, squeeze
from meterhouse.extraction.engine.selectors import quotable, select, stable
from meterhouse.extraction.engine.tables import header_row, headers_of
from meterhouse.extraction.engine.words import words_of
from meterhouse.extraction.model import Mode

MEMBERS_MIN = 2
CANDIDATES_MAX = 48
ANCHOR_CLIMB_MAX = 5
BOILER_SHARE_MAX = 0.4
NAV_LINKED_MIN = 0.8
ALIKE_FOLLOWERS_MAX = 0.7
ALTERNATES_MAX = 6
BODIES_MIN = 3
# `thread-17`, `item_3`: of each record its own, alike up to the number.
_NUMBERED = re.compile(r"([A-Za-z][A-Za-z_-]{1,40}[_-])\d+")
_NEVER = frozenset(
    words_of("html body head br b i em strong font option col colgroup thead form hr input button label")
)
_HEADS = frozenset(words_of("h1 h2 h3 h4 h5 h6 dt p tr li div article section a strong"))
_GENERIC_ATTRS = frozenset(
    {"class", "id", "style", "href", "src", "title", "alt", "width", "height", "align", "valign"}
)


@dataclass(frozen=True)
class Weight:
    """What an element's subtree holds: characters, elements with own text, links, images."""

    chars: int = 0
    leaves: int = 0
    links: int = 0
    linked: int = 0


@dataclass(frozen=True)
class Segment:
    """A candidate list: how to select its records, the records, and how much of the page they are."""

    selector: str
    members: tuple[HtmlElement, ...]
    mode: Mode = "each"
    coverage: float = 0.0
    leaves: float = 0.0
    boiler: float = 0.0
    linked: float = 0.0
    rank: float = 0.0
    header: tuple[str, ...] = ()
    alternates: tuple[str, ...] = ()


class Census:
    """One pass over the page: the weight of every visible element and whether it lies in boilerplate."""

    def __init__(self, root: HtmlElement) -> None:
        body = root.find("body")
        self.body: HtmlElement = root if body is None else body
        self.order: list[HtmlElement] = []
        self.weights: dict[HtmlElement, Weight] = {}
        self.boiler: set[HtmlElement] = set()
        self._visit()
        self._mark()

    def _visit(self) -> None:
        stack: list[HtmlElement] = [self.body]
        while stack:
            element = stack.pop()
            self.order.append(element)
            for child in reversed(element):
                if isinstance(child.tag, str) and child.tag not in HIDDEN_TAGS and not hidden(child):
                    stack.append(child)
        for element in reversed(self.order):
            self.weights[element] = self._weigh(element)

    def _mark(self) -> None:
        """An element that holds most of the page's text is no side matter, whatever its name says."""
        most = BOILER_SHARE_MAX * self.weights[self.body].chars
        for element in self.order:
            if element is self.body:
                continue
            if element.getparent() in self.boiler or self._side_matter(element, most):
                self.boiler.add(element)

    def _side_matter(self, element: HtmlElement, most: float) -> bool:
        if not boilerplate(element):
            return False
        weight = self.weights[element]
        if element.tag == "nav" and weight.linked >= NAV_LINKED_MIN * weight.chars:
            return True
        return weight.chars < most and (2 * weight.linked >= weight.chars or not menu_named(element))

    def _weigh(self, element: HtmlElement) -> Weight:
        own = len(squeeze(element.text))
        chars, leaves, links, linked = own, 0, int(element.tag == "a"), 0
        for child in element:
            tail = len(squeeze(child.tail)) if child.tail else 0
            own += tail
            chars += tail
            weight = self.weights.get(child)
            if weight is not None:
                chars += weight.chars
                leaves += weight.leaves
                links += weight.links
                linked += weight.linked
        return Weight(chars, leaves + (own > 0), links, chars if element.tag == "a" else linked)


def segments(census: Census) -> list[Segment]:
    """The most promising candidates, best first; at most `CANDIDATES_MAX`."""
    ranked: dict[tuple[int, ...], Segment] = {}
    for selector, members in _groups(census).items():
        segment = _segment(selector, members, census)
        if segment is None:
            continue
        key = tuple(id(member) for member in segment.members)
        first = ranked.get(key)
        if first is None:
            ranked[key] = segment
        elif len(selector) < len(first.selector):
            ranked[key] = _with_alternate(replace(segment, alternates=first.alternates), first.selector)
        else:
            ranked[key] = _with_alternate(first, selector)
    best = _as_selected(sorted(ranked.values(), key=lambda one: -one.rank)[:CANDIDATES_MAX], census)
    best += [one for segment in best for one in _by_header(segment, census)]
    runs = [one for segment in best if (one := _as_run(segment, census)) is not None]
    return best + runs


def _as_selected(guessed: list[Segment], census: Census) -> list[Segment]:
    """The candidates with the elements that their selectors really find, often more than were counted."""
    found: dict[tuple[int, ...], Segment] = {}
    for guess in guessed:
        visible = [one for one in select(guess.selector, [census.body]) if one in census.weights]
        segment = _segment(guess.selector, visible, census)
        if segment is not None:
            key = tuple(id(member) for member in segment.members)
            first = found.get(key)
            found[key] = segment if first is None else _with_alternate(first, segment.selector)
            for other in guess.alternates:
                found[key] = _with_alternate(found[key], other)
    return sorted(found.values(), key=lambda one: -one.rank)


def _with_alternate(segment: Segment, selector: str) -> Segment:
    """The segment with one more way to it; the first few are kept."""
    if selector == segment.selector or selector in segment.alternates:
        return segment
    return replace(segment, alternates=(*segment.alternates, selector)[:ALTERNATES_MAX])


def _groups(census: Census) -> dict[str, list[HtmlElement]]:
    groups: dict[str, list[HtmlElement]] = defaultdict(list)
    below: dict[HtmlElement, str | None] = {}
    for element in census.order:
        tag = str(element.tag)
        if tag in _NEVER or census.weights[element].chars == 0 or (tag == "tbody" and not _a_row(element)):
            continue
        if numbered := _NUMBERED.fullmatch(element.get("id") or ""):
            groups[f'{tag}[id^="{numbered.group(1)}"]'].append(element)
        for name in classes_of(element):
            if stable(name):
                groups[f"{tag}.{name}"].append(element)
        for name, value in element.attrib.items():
            if name in {"itemtype", "role", "itemprop", "data-testid"} and quotable(value):
                groups[f'{tag}[{name}="{value}"]'].append(element)
            elif name not in _GENERIC_ATTRS and name.startswith("data-") and stable(name):
                groups[f"{tag}[{name}]"].append(element)
        parent = element.getparent()
        if parent is not None:
            if parent not in below:
                below[parent] = anchored(parent)
            if below[parent] is not None:
                groups[f"{below[parent]} > {tag}"].append(element)
    return {key: members for key, members in groups.items() if len(members) >= MEMBERS_MIN}


def _a_row(body: HtmlElement) -> bool:
    """True for one of many bodies of a table, each of which holds a record."""
    parent = body.getparent()
    return parent is not None and len(parent.findall("tbody")) >= BODIES_MIN


def anchored(element: HtmlElement) -> str | None:
    """A selector for the element's place: its own name, or child steps from the nearest named ancestor."""
    steps: list[str] = []
    node: HtmlElement | None = element
    for _ in range(ANCHOR_CLIMB_MAX):
        if node is None:
            break
        name = named(node)
        steps.append(name or str(node.tag))
        if name or node.tag == "body":
            return " > ".join(reversed(steps))
        node = node.getparent()
    return " > ".join(reversed(steps)) if steps else None


def named(element: HtmlElement) -> str | None:
    """`tag#id` or `tag.class` when the element has a lasting one."""
    identifier = element.get("id")
    if identifier and stable(identifier) and not _NUMBERED.fullmatch(identifier):
        return f"{element.tag}#{identifier}"
    name = next((name for name in classes_of(element) if stable(name)), None)
    return f"{element.tag}.{name}" if name else None


def _segment(selector: str, members: list[HtmlElement], census: Census) -> Segment | None:
    known = set(members)
    outer = tuple(m for m in members if not _inside(m, known) and not header_row(m))
    if len(outer) < MEMBERS_MIN:
        return None
    total = max(1, census.weights[census.body].chars)
    weights = [census.weights[member] for member in outer]
    chars = sum(weight.chars for weight in weights)
    leaves = sum(min(weight.leaves, 12) for weight in weights) / len(outer)
    boiler = sum(member in census.boiler for member in outer) / len(outer)
    coverage = chars / total
    rank = math.sqrt(coverage) * math.log2(1 + min(len(outer), 100)) * min(1.0, 0.25 + leaves / 4)
    linked = sum(weight.linked for weight in weights) / max(1, chars)
    return Segment(selector, outer, "each", coverage, leaves, boiler, linked, rank * (1 - 0.7 * boiler))


def _by_header(segment: Segment, census: Census) -> list[Segment]:
    """Rows of several tables that one selector cannot tell apart, told apart by their column headers."""
    if segment.members[0].tag != "tr":
        return []
    first: dict[HtmlElement | None, tuple[str, ...]] = {}
    groups: dict[tuple[str, ...], list[HtmlElement]] = defaultdict(list)
    for member in segment.members:
        table = next(member.iterancestors("table"), None)
        if table not in first:
            first[table] = tuple(headers_of(member))
        groups[first[table]].append(member)
    if len(groups) < 2 or len(groups) > 40:
        return []
    parts = [
        (header, _segment(segment.selector, rows, census)) for header, rows in groups.items() if any(header)
    ]
    return [replace(part, header=header) for header, part in parts if part is not None]


def _inside(member: HtmlElement, known: set[HtmlElement]) -> bool:
    return any(ancestor in known for ancestor in member.iterancestors())


def _as_run(segment: Segment, census: Census) -> Segment | None:
    """The same heads with the siblings after them, where heads and followers alternate regularly."""
    if segment.members[0].tag not in _HEADS:
        return None
    known = set(segment.members)
    if len({member.getparent() for member in known}) * 2 > len(known):
        return None  # each parent holds one head: the parents themselves are the records
    gaps: list[int] = []
    chars = 0
    for member in segment.members:
        gap = 0
        for follower in member.itersiblings():
            if follower in known or gap > 12:
                break
            gap += 1
            weight = census.weights.get(follower)
            chars += weight.chars if weight else 0
        gaps.append(gap)
    inner = sorted(gaps[:-1] or gaps)
    if _zebra(segment.members, known):
        return None
    if not inner or inner[len(inner) // 2] == 0 or inner[-1] > 12 or chars == 0:
        return None
    total = max(1, census.weights[census.body].chars)
    return replace(segment, mode="run", coverage=segment.coverage + chars / total)


def _zebra(heads: Sequence[HtmlElement], known: set[HtmlElement]) -> bool:
    """True when the siblings between heads are built like the heads: records themselves, not parts of one."""
    followers = [one for head in heads[:20] if (one := head.getnext()) is not None and one not in known]
    same = sum(1 for one in followers if one.tag == heads[0].tag and _shape(one) == _shape(heads[0]))
    return bool(followers) and same >= ALIKE_FOLLOWERS_MAX * len(followers)


def _shape(element: HtmlElement) -> tuple[object, ...]:
    return tuple((child.tag, tuple(inner.tag for inner in child)) for child in element)
