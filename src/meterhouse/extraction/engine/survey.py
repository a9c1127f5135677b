"""Every key that leads to an element of a record: attributes, classes, tags, and at last places."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from lxml.html import HtmlElement

from meterhouse.extraction.engine.document import HIDDEN_TAGS, classes_of, hidden
from meterhouse.extraction.engine.lexicon import tokens_of
from meterhouse.extraction.engine.selectors import quotable, select, stable

ELEMENTS_PER_RECORD_MAX = 400
ELEMENTS_PER_PAGE_MAX = 6_000
KEYS_MAX = 600
KEYS_PER_PAGE_MAX = 4_000
FILL_MIN = 0.12
PATH_MAX = 6
OTHERS_MAX = 4
MISLED_LOOKED_FOR = 4


_LANDMARKS = frozenset({"article", "main", "header", "section", "aside", "footer", "figure", "address"})


@dataclass
class Found:
    """The elements of one key, per record."""

    at: dict[int, list[HtmlElement]] = field(default_factory=lambda: defaultdict(list))
    rank: int = 0


def shared_classes(records: Sequence[Sequence[HtmlElement]]) -> set[str]:
    """Classes that occur in several records: a class of one record alone identifies nothing."""
    counts: Counter[str] = Counter()
    most = ELEMENTS_PER_RECORD_MAX if len(records) > 1 else ELEMENTS_PER_PAGE_MAX
    for roots in records:
        inside: set[str] = set()
        for element in _elements(roots, most):
            inside.update(classes_of(element))
        counts.update(inside)
    least = max(2, round(FILL_MIN * len(records))) if len(records) > 1 else 1
    return {name for name, count in counts.items() if count >= least and stable(name)}


def _elements(roots: Sequence[HtmlElement], most: int) -> Iterator[HtmlElement]:
    count = 0
    stack = list(reversed(roots))
    while stack and count < most:
        element = stack.pop()
        if not isinstance(element.tag, str) or element.tag in HIDDEN_TAGS or hidden(element):
            continue
        count += 1
        yield element
        stack.extend(reversed(list(element)))


def survey(
    at: int,
    roots: Sequence[HtmlElement],
    names: set[str],
    found: dict[str, Found],
    places: dict[HtmlElement, float],
) -> None:
    paths: dict[HtmlElement, tuple[str, ...] | None] = dict.fromkeys(roots[:1], ())
    for position, element in enumerate(_elements(roots, ELEMENTS_PER_RECORD_MAX)):
        places[element] = position
        parent = element.getparent()
        path = paths.get(element)
        if path is None and parent is not None and paths.get(parent) is not None:
            path = (*(paths[parent] or ()), _step(element))
            paths[element] = path
        for rank, key in _keys(element, roots, names, path):
            _note(found, KEYS_MAX * 4, rank, key, at, element)


def drop_misled(records: Sequence[Sequence[HtmlElement]], found: dict[str, Found]) -> None:
    """Leave out keys that lead to a hidden element first: reading would find that one."""
    holders = [at for at, roots in enumerate(records[:MISLED_LOOKED_FOR]) if _hides_parts(roots)]
    for key in [key for key in found if not key.startswith(":scope")] if holders else []:
        at = next((at for at in holders if at in found[key].at), None)
        if at is not None and select(key, records[at])[:1] != found[key].at[at][:1]:
            del found[key]


def _hides_parts(roots: Sequence[HtmlElement]) -> bool:
    return any(
        isinstance(element.tag, str) and element.tag not in HIDDEN_TAGS and hidden(element)
        for root in roots
        for element in root.iter()
    )


def survey_page(
    root: HtmlElement, names: set[str], found: dict[str, Found], places: dict[HtmlElement, float]
) -> None:
    """The whole page as one record: places say nothing here, ids and named parents say more."""
    for position, element in enumerate(_elements([root], ELEMENTS_PER_PAGE_MAX)):
        places[element] = position
        for rank, key in _keys(element, [root], names, None):
            _note(found, KEYS_PER_PAGE_MAX * 4, rank, key, 0, element)
        for rank, key in _page_keys(element, names):
            _note(found, KEYS_PER_PAGE_MAX * 4, rank, key, 0, element)


def _note(found: dict[str, Found], most: int, rank: int, key: str, at: int, element: HtmlElement) -> None:
    one = found.get(key)
    if one is None:
        if len(found) >= most:
            return
        one = found[key] = Found(rank=rank)
    one.at[at].append(element)


def _page_keys(element: HtmlElement, names: set[str]) -> Iterator[tuple[int, str]]:
    tag = element.tag
    identifier = element.get("id")
    if identifier and stable(identifier):
        yield 2, f"{tag}#{identifier}"
        return
    ancestors = 0
    for ancestor in element.iterancestors():
        identifier = ancestor.get("id")
        name = next((name for name in classes_of(ancestor) if name in names), None)
        if identifier and stable(identifier):
            yield 3, f"{ancestor.tag}#{identifier} {tag}"
            return
        if name and ancestors < 2:
            yield 4, f"{ancestor.tag}.{name} {tag}"
            ancestors += 1
        if ancestor.tag in _LANDMARKS and not ancestors:
            yield 6, f"{ancestor.tag} {_below(ancestor, element)}"
            return


def _below(landmark: HtmlElement, element: HtmlElement) -> str:
    """The child steps from a landmark down to an element that no name stands over."""
    steps = [_step(element)]
    for ancestor in element.iterancestors():
        if ancestor is landmark:
            break
        steps.append(_step(ancestor))
    return "> " + " > ".join(reversed(steps))


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
    prop = element.get("itemprop")
    if prop and quotable(prop):
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
    if inner and own and len(element) == 0:
        for holder, name in _named_holders(element, roots, names):
            yield 4, f"{holder.tag}.{name} {tag}.{own[0]}"
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


def _named_holders(
    element: HtmlElement, roots: Sequence[HtmlElement], names: set[str]
) -> Iterator[tuple[HtmlElement, str]]:
    """The named elements two and three levels up, inside the record."""
    holder = element.getparent()
    for _ in range(2):
        if holder is None or holder in roots:
            return
        holder = holder.getparent()
        if holder is None or holder in roots:
            return
        name = next((name for name in classes_of(holder) if name in names), None)
        if name is not None:
            yield holder, name


def _first_segment(href: str | None) -> str | None:
    """`/user/` of `/user/17`, `item?` of `item?id=3`: the kind of page a link leads to; never ids."""
    match = re.search(r"(?:^|[^/:])(/[A-Za-z][A-Za-z-]{2,20}[/?])|^([A-Za-z][A-Za-z-]{2,20}\?)", href or "")
    return (match.group(1) or match.group(2)) if match else None


def distinct(found: dict[str, Found], total: int) -> Iterator[tuple[str, list[str], Found]]:
    """Keys that lead to the same elements are one column; the most lasting key leads."""
    least = max(1 if total < 3 else 2, FILL_MIN * total)
    groups: dict[tuple[int, ...], list[tuple[int, int, str]]] = defaultdict(list)
    for key, one in found.items():
        if len(one.at) >= least:
            groups[_same(one, total)].append((one.rank, len(key), key))
    for keys in list(groups.values())[: KEYS_MAX if total > 1 else KEYS_PER_PAGE_MAX]:
        keys.sort()
        yield keys[0][2], _others(keys), found[keys[0][2]]


def _others(keys: Sequence[tuple[int, int, str]]) -> list[str]:
    """Other keys to the same elements, one of each make, so that they do not all fail together."""
    makes = {keys[0][0]}
    kept: list[str] = []
    for rank, _, key in keys[1:]:
        if rank not in makes:
            makes.add(rank)
            kept.append(key)
    return kept[:OTHERS_MAX]


def _same(one: Found, total: int) -> tuple[int, ...]:
    """What makes two keys one: the first element per record, or on a page all, as a field may want all."""
    if total > 1:
        return tuple(id(one.at[at][0]) for at in sorted(one.at))
    return tuple(id(element) for element in one.at[0][:60])


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
    if element.tag in {"time", "address", "cite", "figcaption"}:
        words.add(str(element.tag))
    if element.tag in {"s", "del", "strike"}:
        words.add("old")
    if element.tag == "a":
        words.update(_address_words(element.get("href") or ""))
    return words


def _address_words(href: str) -> set[str]:
    """The words of an address that tell the kind of its target: folders and query names."""
    path, _, query = href[:300].partition("?")
    folders = path.split("//", 1)[-1].split("/")
    folders = folders[1:] if "//" in path else folders
    kept = folders if query else folders[:-1]
    words = [word for folder in kept[:4] for word in tokens_of(folder) if len(word) > 3]
    return {*words, *(part.partition("=")[0] for part in query.split("&")[:3] if part)} if href else set()


def words_before(node: HtmlElement) -> str:
    """The short text right before an element, as "by" before a name."""
    before = node.getprevious()
    parent = node.getparent()
    text = before.tail if before is not None else parent.text if parent is not None else None
    text = " ".join((text or "").split())
    return text if len(text) <= 24 else ""
