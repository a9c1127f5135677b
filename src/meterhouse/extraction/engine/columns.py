"""Mining the fields of records: every way to reach a value that most records share, with what speaks for it."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from lxml.html import HtmlElement

from meterhouse.extraction.engine.document import HIDDEN_TAGS, classes_of, hidden, pieces_of, text_of
from meterhouse.extraction.engine.kinds import PATTERNS, find_kind, kinds_of
from meterhouse.extraction.engine.labels import label_pairs
from meterhouse.extraction.engine.lexicon import tokens_of
from meterhouse.extraction.engine.selectors import quotable, stable
from meterhouse.extraction.engine.tables import header_of
from meterhouse.extraction.engine.values import read_element, section_title
from meterhouse.extraction.model import Field

ELEMENTS_PER_RECORD_MAX = 400
KEYS_MAX = 600
FILL_MIN = 0.12
PATH_MAX = 6
_TEXT_ATTRS = (
    "datetime",
    "content",
    "title",
    "alt",
    "aria-label",
    "value",
    "data-price",
    "data-date",
    "data-id",
)
_LINK_ATTRS = ("href", "src", "data-src")
_DERIVED = ("money", "date", "time", "duration", "area")


@dataclass(frozen=True)
class Column:
    """One way to read a field over the sample: the values, the nodes, and words found near it.

    `own` are words of the element's own names, `near` those of its ancestors inside the record, `said` those a
    reader sees as its label or column header.
    """

    field: Field
    values: tuple[str | None, ...]
    nodes: tuple[HtmlElement | None, ...]
    own: frozenset[str] = frozenset()
    near: frozenset[str] = frozenset()
    said: tuple[str, ...] = ()
    headed: bool = False
    depth: int = 0
    place: float = 0.0
    breadth: float = 1.0
    repeats: float = 1.0
    derived: int = 0
    alternates: tuple[Field, ...] = ()
    kinds: Counter[str] = field(default_factory=Counter, compare=False)

    @property
    def present(self) -> list[str]:
        return [value for value in self.values if value]

    @property
    def fill(self) -> float:
        return len(self.present) / max(1, len(self.values))


@dataclass
class _Found:
    """The elements of one key, per record."""

    at: dict[int, list[HtmlElement]] = field(default_factory=lambda: defaultdict(list))
    rank: int = 0


def columns_of(
    records: Sequence[Sequence[HtmlElement]], base: str, headers: Sequence[str] = ()
) -> list[Column]:
    """All columns of a sample of records, most direct first; equal ones are merged into alternates."""
    if not records:
        return []
    names = _shared_classes(records)
    found: dict[str, _Found] = {}
    places: dict[HtmlElement, float] = {}
    for at, roots in enumerate(records):
        _survey(at, roots, names, found, places)
    columns: list[Column] = []
    for selector, alternates, one in _distinct(found, len(records)):
        nodes = tuple(one.at[at][0] if one.at.get(at) else None for at in range(len(records)))
        repeats = sum(len(one.at[at]) for at in one.at) / max(1, len(one.at))
        base_column = _describe(selector, nodes, records, places, headers)
        base_column = replace(
            base_column, repeats=repeats, alternates=tuple(Field(selector=s) for s in alternates)
        )
        columns.extend(_sources(base_column, base))
    columns.extend(_labelled(records))
    columns.extend(_sections(records))
    return _unique([*columns, *(d for c in columns for d in _derive(c))])


def _shared_classes(records: Sequence[Sequence[HtmlElement]]) -> set[str]:
    """Classes that occur in several records: a class of one record alone identifies nothing."""
    counts: Counter[str] = Counter()
    for roots in records:
        inside: set[str] = set()
        for element in _elements(roots):
            inside.update(classes_of(element))
        counts.update(inside)
    least = max(2, round(FILL_MIN * len(records))) if len(records) > 1 else 1
    return {name for name, count in counts.items() if count >= least and stable(name)}


def _elements(roots: Sequence[HtmlElement]) -> Iterator[HtmlElement]:
    count = 0
    stack = list(reversed(roots))
    while stack and count < ELEMENTS_PER_RECORD_MAX:
        element = stack.pop()
        if not isinstance(element.tag, str) or element.tag in HIDDEN_TAGS or hidden(element):
            continue
        count += 1
        yield element
        stack.extend(reversed(list(element)))


def _survey(
    at: int,
    roots: Sequence[HtmlElement],
    names: set[str],
    found: dict[str, _Found],
    places: dict[HtmlElement, float],
) -> None:
    paths: dict[HtmlElement, tuple[str, ...] | None] = {root: () for root in roots[:1]}
    for position, element in enumerate(_elements(roots)):
        places[element] = position
        parent = element.getparent()
        path = paths.get(element)
        if path is None and parent is not None and paths.get(parent) is not None:
            path = (*(paths[parent] or ()), _step(element))
            paths[element] = path
        for rank, key in _keys(element, roots, names, path):
            one = found.get(key)
            if one is None:
                if len(found) >= KEYS_MAX * 4:
                    continue
                one = found[key] = _Found(rank=rank)
            one.at[at].append(element)


def _step(element: HtmlElement) -> str:
    tag = str(element.tag)
    before = sum(1 for _ in element.itersiblings(tag, preceding=True))
    follows = before > 0 or next(element.itersiblings(tag), None) is not None
    return f"{tag}:nth-of-type({before + 1})" if follows else tag


def _keys(
    element: HtmlElement, roots: Sequence[HtmlElement], names: set[str], path: tuple[str, ...] | None
) -> Iterator[tuple[int, str]]:
    tag = str(element.tag)
    parent = element.getparent()
    inner = parent is not None and element not in roots
    if prop := element.get("itemprop"):
        if quotable(prop):
            yield 0, f'[itemprop="{prop}"]'
    for name in (
        "data-testid",
        "data-qa",
        "data-test",
        "rel",
        "data-label",
        "data-stat",
        "data-title",
        "headers",
    ):
        value = element.get(name)
        if value and quotable(value):
            yield 1, f'{tag}[{name}="{value}"]'
    own = [name for name in classes_of(element) if name in names]
    for name in own[:4]:
        yield 2, f"{tag}.{name}"
    if inner and parent is not None:
        for name in [name for name in classes_of(parent) if name in names][:3]:
            yield 3, f"{parent.tag}.{name} > {_step(element)}"
            if ":nth" not in _step(element):
                continue
            yield 3, f"{parent.tag}.{name} > {tag}"
    if tag == "a" and (segment := _first_segment(element.get("href"))):
        yield 4, f'a[href*="{segment}"]'
    if tag in {
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "time",
        "a",
        "img",
        "p",
        "strong",
        "b",
        "em",
        "i",
        "small",
        "abbr",
    }:
        yield 5, tag
    if path is not None and len(path) <= PATH_MAX:
        yield 6, (":scope > " + " > ".join(path)) if path else ":scope"


def _first_segment(href: str | None) -> str | None:
    """`/user/` of `/user/17`: the kind of page a link leads to. Only words, never ids."""
    match = re.search(r"(?:^|[^/:])(/[A-Za-z][A-Za-z-]{2,20}/)", href or "")
    return match.group(1) if match else None


def _distinct(found: dict[str, _Found], total: int) -> Iterator[tuple[str, list[str], _Found]]:
    """Keys that lead to the same elements are one column; the most lasting key leads."""
    least = max(1 if total < 3 else 2, FILL_MIN * total)
    groups: dict[tuple[int, ...], list[tuple[int, int, str]]] = defaultdict(list)
    for key, one in found.items():
        if len(one.at) >= least:
            firsts = tuple(id(one.at[at][0]) for at in sorted(one.at))
            groups[firsts].append((one.rank, len(key), key))
    for keys in list(groups.values())[:KEYS_MAX]:
        keys.sort()
        yield keys[0][2], [key for _, _, key in keys[1:3]], found[keys[0][2]]


def _describe(
    selector: str,
    nodes: tuple[HtmlElement | None, ...],
    records: Sequence[Sequence[HtmlElement]],
    places: dict[HtmlElement, float],
    headers: Sequence[str],
) -> Column:
    at = next(at for at, node in enumerate(nodes) if node is not None)
    node = nodes[at]
    assert node is not None
    near: set[str] = set()
    said: list[str] = []
    depth = 0
    cell: HtmlElement | None = node if node.tag == "td" else None
    parent = node.getparent()
    while node not in records[at] and parent is not None and depth < 8:
        if parent in records[at]:
            break
        near |= name_words(parent)
        cell = parent if parent.tag == "td" and cell is None else cell
        depth += 1
        parent = parent.getparent()
    header = header_of(cell, headers) if cell is not None else ""
    if header:
        said.append(header)
    for name in ("data-label", "data-title"):
        holder = cell if cell is not None else node
        if holder.get(name):
            said.append(str(holder.get(name)))
    if before := _words_before(node):
        said.append(before)
    size = max((places.get(node, 0.0), 1.0))
    return Column(
        field=Field(selector="" if selector == ":scope" else selector),
        values=(),
        nodes=nodes,
        own=frozenset(name_words(node)),
        near=frozenset(near),
        said=tuple(words for words in said if words),
        headed=bool(header),
        depth=depth,
        place=size,
    )


def name_words(element: HtmlElement) -> set[str]:
    """The words in an element's class, id and semantic attributes."""
    words: set[str] = set()
    for name in (
        "class",
        "itemprop",
        "id",
        "rel",
        "data-testid",
        "data-qa",
        "data-stat",
        "name",
        "property",
        "headers",
    ):
        value = element.get(name)
        if value:
            words.update(tokens_of(value[:200]))
    if element.tag == "time":
        words.add("time")
    if element.tag == "a":
        words.update(_address_words(element.get("href") or ""))
    return words


def _address_words(href: str) -> set[str]:
    """The words of an address that tell the kind of its target: folders and query names, not the last part."""
    path, _, query = href[:300].partition("?")
    folders = path.split("//", 1)[-1].split("/")
    folders = folders[1:] if "//" in path else folders
    kept = folders if query else folders[:-1]
    words = [word for folder in kept[:4] for word in tokens_of(folder) if len(word) > 3]
    return {*words, *(part.partition("=")[0] for part in query.split("&")[:3] if part)} if href else set()


def _words_before(node: HtmlElement) -> str:
    """The short text right before an element, as "by" before a name."""
    before = node.getprevious()
    parent = node.getparent()
    text = before.tail if before is not None else parent.text if parent is not None else None
    text = " ".join((text or "").split())
    return text if len(text) <= 24 else ""


def _sources(column: Column, base: str) -> Iterator[Column]:
    """The texts and attributes that can be read from a column's elements."""
    nodes = column.nodes
    sample = [node for node in nodes if node is not None]
    tag = sample[0].tag
    texts = tuple(text_of(node) or None if node is not None else None for node in nodes)
    breadth = sum(_breadth(node) for node in sample) / len(sample)
    if any(texts):
        yield _finish(replace(column, values=texts, breadth=breadth))
    if any(len(node) for node in sample):
        yield from _pieces(column)
    for name in _LINK_ATTRS if tag in {"a", "img", "area", "source"} else ():
        yield from _attribute(column, name, base)
    for name in _TEXT_ATTRS:
        if any(node.get(name) for node in sample):
            yield from _attribute(column, name, base)


def _attribute(column: Column, name: str, base: str) -> Iterator[Column]:
    reader = replace(column.field, attr=name)
    values = tuple(read_element(node, reader, base) if node is not None else None for node in column.nodes)
    if any(values):
        alternates = tuple(replace(one, attr=name) for one in column.alternates)
        yield _finish(
            replace(
                column,
                field=reader,
                values=values,
                own=column.own | {name},
                alternates=alternates,
                breadth=1.0,
            )
        )


def _pieces(column: Column) -> Iterator[Column]:
    runs = [pieces_of(node) if node is not None else [] for node in column.nodes]
    most = max(len(run) for run in runs)
    if most == 0 or most > 12:
        return
    for at in [*range(min(most, 6)), *([-1] if most > 1 else [])]:
        values = tuple(run[at] if -len(run) <= at < len(run) else None for run in runs)
        alternates = tuple(replace(one, piece=at) for one in column.alternates)
        yield _finish(
            replace(
                column,
                field=replace(column.field, piece=at),
                values=values,
                breadth=1.0,
                derived=column.derived + 1 + (at == -1),
                alternates=alternates,
            )
        )


def _breadth(element: HtmlElement) -> float:
    """How many separate texts an element holds; one for a plain leaf."""
    return 1.0 + sum(1 for child in element.iterdescendants() if child.text and child.text.strip())


def _finish(column: Column) -> Column:
    kinds: Counter[str] = Counter()
    for value in column.present:
        kinds.update(kinds_of(value))
    return replace(column, kinds=kinds)


def _derive(column: Column) -> Iterator[Column]:
    """Parts of texts: what follows a fixed first word, and the date, price or time inside a sentence."""
    present = column.present
    if column.field.attr in _LINK_ATTRS or len(present) < 1 or column.field.regex:
        return
    if sum(len(value) for value in present) / len(present) > 250:
        return
    lead = _lead(present)
    if lead:
        yield from _cut(column, rf"^{re.escape(lead)}\s*[:：]?\s*(.+)$", lead)
    if column.breadth > 6:
        return
    for kind in _DERIVED:
        if column.kinds[kind] < 0.5 * len(present):
            values = tuple(find_kind(kind, value) if value else None for value in column.values)
            if sum(1 for value in values if value) >= 0.6 * len(present):
                yield _finish(
                    replace(
                        column,
                        field=replace(column.field, regex=f"({PATTERNS[kind]})"),
                        values=values,
                        derived=column.derived + 1,
                        breadth=1.0,
                        alternates=(),
                    )
                )


def _cut(column: Column, regex: str, lead: str) -> Iterator[Column]:
    compiled = re.compile(regex, re.I | re.S)
    values = tuple((m.group(1) if (m := compiled.search(v)) else None) if v else None for v in column.values)
    if any(values):
        yield _finish(
            replace(
                column,
                field=replace(column.field, regex=regex),
                values=values,
                said=(*column.said, lead.strip(" :：")),
                derived=column.derived + (0 if lead.endswith((":", "：")) else 1),
                alternates=tuple(replace(one, regex=regex) for one in column.alternates),
            )
        )


def _lead(values: Sequence[str]) -> str | None:
    """The word or words with which every value begins, when what follows differs."""
    if len(values) < 3 or len(set(values)) < 2:
        match = re.match(r"^([^\d\W][^\d:：]{1,30}[:：])\s*\S", values[0]) if values else None
        return match.group(1) if match and all(value.startswith(match.group(1)) for value in values) else None
    split = [value.split(" ") for value in values]
    shared: list[str] = []
    for at, word in enumerate(split[0][:4]):
        if not all(len(words) > at + 1 and words[at] == word for words in split):
            break
        shared.append(word)
    lead = " ".join(shared)
    return lead if lead and not any(char.isdigit() for char in lead) else None


def _labelled(records: Sequence[Sequence[HtmlElement]]) -> Iterator[Column]:
    """Values that stand after the same label in several records."""
    rows: dict[str, dict[int, tuple[str, HtmlElement]]] = {}
    for at, roots in enumerate(records):
        for label, value, element in label_pairs(roots, 60):
            rows.setdefault(label, {}).setdefault(at, (value, element))
    least = max(2, FILL_MIN * len(records)) if len(records) > 1 else 1
    for label, cells in rows.items():
        if len(cells) < least or len(label.split()) > 6:
            continue
        yield _finish(
            Column(
                field=Field(source="label", selector=label),
                values=tuple(cells[at][0] if at in cells else None for at in range(len(records))),
                nodes=tuple(cells[at][1] if at in cells else None for at in range(len(records))),
                said=(label,),
            )
        )


def _sections(records: Sequence[Sequence[HtmlElement]]) -> Iterator[Column]:
    """Titles of the sections that the records stand in, when there are fewer of them than records."""
    if len(records) < 3:
        return
    for selector in ("h2", "h3", "h4", "caption", "dt"):
        values = tuple(section_title(selector, roots[0]) for roots in records)
        different = {value for value in values if value}
        if len(different) > 1 and len(different) < len(records):
            yield _finish(
                Column(
                    field=Field(source="section", selector=selector),
                    values=values,
                    nodes=(None,) * len(records),
                    own=frozenset({"section", "category"}),
                    derived=2,
                )
            )


def _unique(columns: list[Column]) -> list[Column]:
    kept: dict[tuple[object, ...], Column] = {}
    for column in columns:
        same = (column.values, column.field.attr in _LINK_ATTRS)
        first = kept.get(same)
        if first is None:
            kept[same] = column
            continue
        merged = replace(
            first,
            own=first.own | column.own,
            near=first.near | column.near,
            said=tuple(dict.fromkeys((*first.said, *column.said))),
            alternates=(*first.alternates, *(() if len(first.alternates) > 1 else (column.field,))),
        )
        better = column.derived < first.derived or (column.field.source == "label" and first.derived)
        kept[same] = replace(merged, field=column.field, derived=column.derived) if better else merged
    return list(kept.values())
