"""All ways to read a value of a page that is one record: structured data, labels, markup, and lists."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from lxml.html import HtmlElement

from meterhouse.extraction.engine import structured
from meterhouse.extraction.engine.column import Column
from meterhouse.extraction.engine.columns import columns_of
from meterhouse.extraction.engine.derive import derive
from meterhouse.extraction.engine.document import Document, text_of
from meterhouse.extraction.engine.kinds import kinds_of
from meterhouse.extraction.engine.labels import heading_before, label_items, label_pairs, labels_like
from meterhouse.extraction.engine.lexicon import fold, tokens_of
from meterhouse.extraction.engine.request import Wanted
from meterhouse.extraction.engine.segments import Census, segments
from meterhouse.extraction.engine.survey import name_words
from meterhouse.extraction.engine.words import words_of
from meterhouse.extraction.model import Field

LABEL_WORDS_MAX = 7
SHELL_CHARS_MAX = 200
TEXT_CHARS_MAX = 2_000_000
ALIKE_MIN = 3
ALIKE_LOOKED_AT = 6
_TITLES = ("og:title", "twitter:title", "title")
_SUMMARIES = ("description", "og:description", "twitter:description")


# Keys that say nothing of the value, which is named by the key above.
_GENERIC = frozenset(
    words_of(
        "name value amount text raw label formatted display current per night month min max total number"
    )
)


@dataclass(frozen=True)
class Evidence:
    """The columns of a page, and what the page says of itself as a whole, folded for comparing."""

    single: list[Column]
    lists: list[Column]
    titles: tuple[str, ...]
    summaries: tuple[str, ...]
    text: str
    document: Document
    # Drawn by scripts: what its data hold will be seen.
    is_shell: bool = False

    @property
    def root(self) -> HtmlElement:
        return self.document.root

    def seen(self, value: str, listed: bool = False) -> bool:
        """True when a reader of the page can see the value, or most parts of one that lists several."""
        whole = fold(value[:200])
        if whole in self.text or self.is_shell:
            return True
        if not listed:
            return False
        parts = [part for part in re.split(r"\s*[,;|]\s*", whole[:180]) if part]
        return len(parts) > 1 and sum(part in self.text for part in parts) >= 0.7 * len(parts)


def evidence_of(document: Document, census: Census, plural: Sequence[Wanted]) -> Evidence:
    """Mine the page; lists are mined only when some field wants several values."""
    data = structured.read(document)
    meta = data.leaves.get("meta", {})
    text = fold(text_of(census.body)[:TEXT_CHARS_MAX])
    lists: list[Column] = []
    if plural:
        lists = [*_lists(census), *(one for wanted in plural for one in _under_labels(census, wanted))]
    return Evidence(
        single=[*_structured(data), *_labels(census), *_markup(document, census)],
        lists=lists,
        titles=tuple(fold(value) for name in _TITLES for value in meta.get(name, [])),
        summaries=tuple(fold(value) for name in _SUMMARIES for value in meta.get(name, [])),
        text=text,
        document=document,
        is_shell=len(text) < SHELL_CHARS_MAX and next(document.root.iter("script"), None) is not None,
    )


def _structured(data: structured.Data) -> Iterator[Column]:
    for source, leaves in data.leaves.items():
        for path, values in leaves.items():
            parts = re.split(r"[.:]", path)
            own = frozenset(tokens_of(parts[-1])) - frozenset(tokens_of(parts[0]) if len(parts) > 1 else ())
            if len(parts) > 2 and _GENERIC.issuperset(tokens_of(parts[-1])):
                own |= frozenset(tokens_of(parts[-2]))
            yield Column(
                field=Field(source=source, selector=path),  # type: ignore[arg-type]
                values=(values[0],),
                nodes=(None,),
                own=own,
                near=frozenset(tokens_of(" ".join(parts[:-1]))),
                depth=len(parts) - 1,
                repeats=len(values),
                kinds=_counter(values[0]),
            )


def _counter(value: str) -> Counter[str]:
    return Counter(kinds_of(value))


def _labels(census: Census) -> Iterator[Column]:
    seen: set[str] = set()
    for label, value, element in label_pairs([census.body], 1_500):
        if label in seen or len(label.split()) > LABEL_WORDS_MAX:
            continue
        seen.add(label)
        column = Column(
            field=Field(source="label", selector=label),
            values=(value,),
            nodes=(element,),
            said=(label,),
            kinds=_counter(value),
            place=-1.0 if element in census.boiler else 0.0,
        )
        yield column
        yield from derive(column)


def _markup(document: Document, census: Census) -> Iterator[Column]:
    """Elements of the main part as columns of one record that is the whole page."""
    heading = next(census.body.iter("h1"), None)
    around = frozenset() if heading is None else frozenset((heading, *heading.iterancestors()))
    known: dict[HtmlElement, bool] = {}
    for column in columns_of([[census.body]], document):
        node = column.nodes[0]
        if node is None or column.field.selector.startswith(":scope") or column.field.source != "css":
            continue
        place = -1.0 if node in census.boiler else 0.0
        near = frozenset().union(*(name_words(a) for a in list(node.iterancestors())[:2]))
        yield replace(column, place=place, near=near, listed=_listed(node, around, known))


def _listed(node: HtmlElement, around: Collection[HtmlElement], known: dict[HtmlElement, bool]) -> bool:
    """True for parts of one of several alike things with links, none of which holds the page's heading."""
    path: list[HtmlElement] = []
    found = False
    for element in (node, *node.iterancestors()):
        if element in around or element in known:
            found = known.get(element, False)
            break
        path.append(element)
        if _one_of_many(element):
            found = True
            break
    known.update(dict.fromkeys(path, found))
    return found


def _one_of_many(element: HtmlElement) -> bool:
    """True when siblings of the same make have, as it has, words and a link."""
    name = element.get("class")
    parent = element.getparent()
    if parent is None or not (name or element.tag in {"li", "article"}) or len(element) == 0:
        return False
    same = [one for one in parent.iterchildren(str(element.tag)) if one.get("class") == name][
        :ALIKE_LOOKED_AT
    ]
    if len(same) < ALIKE_MIN:
        return False
    tags = [[child.tag for child in one] for one in same]
    linked = [next(one.iter("a"), None) is not None for one in same]
    return all(linked) and tags.count(tags[0]) >= ALIKE_MIN and element.tag not in {"tr", "td", "dt", "dd"}


def _lists(census: Census) -> Iterator[Column]:
    """Repeated short texts, with the words of the heading before them, as one value each."""
    for segment in segments(census):
        if segment.mode != "each":
            continue
        values = [text_of(member) for member in segment.members]
        first = segment.members[0]
        heading = heading_before(first)
        near = frozenset().union(*(name_words(a) for a in [first, *list(first.iterancestors())[:3]]))
        yield Column(
            field=Field(selector=segment.selector, many=True),
            values=(values[0],),
            nodes=(first,),
            own=frozenset(name_words(first)),
            near=near,
            said=(heading,) if heading else (),
            repeats=len(values),
            kinds=_counter(values[0]),
            place=-1.0 if segment.boiler > 0.5 else 0.0,
        )


def _under_labels(census: Census, wanted: Wanted) -> Iterator[Column]:
    """What stands below a heading or behind a label that names the wanted field, item by item."""
    words = {*wanted.words, *(wanted.role.words if wanted.role else ())}
    seen: set[str] = set()
    for label, element in labels_like(census.body, words):
        if label in seen:
            continue
        seen.add(label)
        items = label_items([census.body], label)
        if not items:
            continue
        yield Column(
            field=Field(source="label", selector=label, many=True),
            values=(items[0],),
            nodes=(element,),
            said=(label,),
            repeats=len(items),
            kinds=_counter(items[0]),
            place=-1.0 if element in census.boiler else 0.0,
        )
