"""Which column answers which wanted field: words, forms of values, and place in the record weighed together."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from meterhouse.extraction.engine.columns import Column
from meterhouse.extraction.engine.lexicon import Role, alike, tokens_of
from meterhouse.extraction.engine.request import Wanted

ACCEPT_MIN = 0.95
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_LINKS = frozenset({"href", "src", "data-src"})
_COUNTS = frozenset({"comments", "views", "votes", "stars", "forks", "rooms", "rating"})


@dataclass(frozen=True)
class Match:
    wanted: Wanted
    column: Column
    score: float


def assign(fields: Sequence[Wanted], columns: Sequence[Column]) -> list[Match]:
    """The best column for each field, no column twice; links are chosen after the title they belong to."""
    links = [one for one in fields if _is(one, "link")]
    others = [one for one in fields if not _is(one, "link")]
    scored = sorted(
        (
            Match(wanted, column, score)
            for wanted in others
            for column in columns
            if (score := rate(wanted, column)) >= ACCEPT_MIN
        ),
        key=lambda one: -one.score,
    )
    chosen: dict[str, Match] = {}
    used: list[Column] = []
    for one in scored:
        if one.wanted.name not in chosen and not any(_same(one.column, column) for column in used):
            chosen[one.wanted.name] = one
            used.append(one.column)
    title = next((one.column for one in chosen.values() if _is(one.wanted, "title")), None)
    for wanted in links:
        best = max(
            (Match(wanted, column, rate_link(wanted, column, title)) for column in columns if _links(column)),
            key=lambda one: one.score,
            default=None,
        )
        if best is not None and best.score >= ACCEPT_MIN and not any(_same(best.column, c) for c in used):
            chosen[wanted.name] = best
            used.append(best.column)
    return [chosen[one.name] for one in fields if one.name in chosen]


def rate(wanted: Wanted, column: Column) -> float:
    """How well a column answers a field; about 1 is a plausible guess, above 2 a good answer."""
    if not column.present:
        return 0.0
    role = wanted.role
    lexical = _lexical(wanted, column)
    form = _form(wanted, role, column)
    score = 1.3 * lexical + form + 0.5 * column.fill - 0.12 * column.derived
    score -= min(0.8, 0.1 * (column.breadth - 1))
    if _links(column) and role is not None and role.name != "image":
        score -= 2.0
    if len(column.values) > 3 and len(set(column.present)) == 1:
        score -= 0.7
    if role is not None and role.name == "title":
        score += _title(column)
    elif role is not None and role.name == "description":
        score += _description(column)
    elif lexical < 0.3 and (role is None or not role.kinds - {"text", "long"}):
        score -= 0.7
    return score


def rate_link(wanted: Wanted, column: Column, title: Column | None) -> float:
    score = 0.6 + 0.4 * column.fill + 0.6 * _lexical(wanted, column)
    score += 0.4 * len(set(column.present)) / max(1, len(column.present))
    if column.field.attr != "href":
        score -= 0.6
    if title is not None:
        score += 1.2 * _same_anchor(title, column)
    texts = " ".join(text for node in column.nodes[:3] if node is not None for text in [node.text or ""])
    plain = [word for word in wanted.words if wanted.role and word not in wanted.role.words]
    if any(alike(word, token) for word in plain for token in (*tokens_of(texts), *_suffixes(column))):
        score += 1.0
    return score - 0.02 * column.place / 10


def _suffixes(column: Column) -> set[str]:
    return {value.rsplit(".", 1)[-1].lower() for value in column.present[:3]}


def _same_anchor(title: Column, link: Column) -> float:
    """The share of records in which the link holds the title, or the title holds the link."""
    hits = total = 0
    for text, anchor in zip(title.nodes, link.nodes, strict=True):
        if text is None or anchor is None:
            continue
        total += 1
        hits += text is anchor or anchor in text.iterancestors() or text in anchor.iterancestors()
    return hits / total if total else 0.0


def _lexical(wanted: Wanted, column: Column) -> float:
    """How far the words of the request, or its role's, are found at the column: 1 for its visible label."""
    best = 0.0
    role = wanted.role
    said = [tokens_of(label) for label in column.said]
    for tokens in said:
        best = max(best, _overlap(wanted.words, tokens))
        if role is not None and tokens and any(token in role.words for token in tokens):
            best = max(best, 0.8 if len(tokens) <= 2 else 0.6)
    best = max(best, 0.9 * _any(wanted.words, column.own, role), 0.4 * _any(wanted.words, column.near, role))
    if role is not None:
        best = max(best, 0.75 * bool(role.hints & column.own), 0.4 * bool(role.hints & column.near))
        if role.name in _COUNTS:
            best = max(best, 0.7 * _worded(wanted, column))
    return best


def _overlap(words: Sequence[str], tokens: Sequence[str]) -> float:
    """1 when words and label are the same, less for what either has beyond the other."""
    if not words or not tokens:
        return 0.0
    hits = sum(1 for word in words if any(alike(word, token) for token in tokens))
    back = sum(1 for token in tokens if any(alike(word, token) for word in words))
    if not hits:
        return 0.0
    return 0.5 + 0.25 * hits / len(words) + 0.35 * back / len(tokens)


def _any(words: Sequence[str], names: Iterable[str], role: Role | None) -> float:
    names = list(names)
    specific = [word for word in words if role is None or word not in role.words]
    hits = sum(1 for word in words if any(alike(word, name) for name in names))
    if not hits:
        return 0.0
    exact = sum(1 for word in specific if any(alike(word, name) for name in names))
    return 0.7 + 0.3 * hits / len(words) + (0.15 if exact else 0.0)


def _worded(wanted: Wanted, column: Column) -> float:
    assert wanted.role is not None
    hits = sum(
        1 for value in column.present if any(t in wanted.role.words or t in wanted.words for t in tokens_of(value[:60]))
    )
    return hits / len(column.present)


def _form(wanted: Wanted, role: Role | None, column: Column) -> float:
    present = len(column.present)

    def share(kind: str) -> float:
        return column.kinds[kind] / present

    if role is None:
        if wanted.counted:
            return max(share("number"), share("counted")) - 0.3
        return 0.2 - 0.5 * share("long") - 0.4 * share("url")
    kinds = role.kinds
    if kinds == {"text"} or role.name == "title":
        odd = max(share("money"), share("date"), share("time"), share("number"), share("url"), share("duration"))
        return 0.5 - 1.2 * odd - 0.3 * share("long") * (role.name != "title")
    if role.name == "description":
        return 0.3 - 1.2 * max(share("money"), share("date"), share("number"), share("url"))
    best = max((share(kind) for kind in kinds), default=0.0)
    if role.name == "price" and share("money") < 0.5:
        best -= 0.5
    if role.name in {"date", "time"} and best > 0.7:
        best += 0.3
    if role.name == "price" and share("money") > 0.7:
        best += 0.3
    return best - 0.8 * (1 - best)


def _title(column: Column) -> float:
    node = next((node for node in column.nodes if node is not None), None)
    if node is None:
        return 0.0
    lengths = [len(value) for value in column.present]
    middle = statistics.median(lengths)
    around = {node.tag, *(ancestor.tag for ancestor in list(node.iterancestors())[: column.depth + 1])}
    inside = {child.tag for child in node}
    score = 0.45 * bool(around & _HEADINGS) + 0.35 * ("a" in around or "a" in inside)
    score += 0.15 * bool(around & {"b", "strong", "th"})
    score += 0.3 * len(set(column.present)) / len(column.present)
    score += 0.2 if 8 <= middle <= 150 else -0.4 if middle > 250 or middle < 3 else 0.0
    return score - min(0.3, column.place * 0.012) - (0.3 if column.field.attr else 0.0)


def _description(column: Column) -> float:
    middle = statistics.median(len(value) for value in column.present)
    score = min(0.9, middle / 130) - (0.5 if middle < 25 else 0.0)
    return score - (0.25 if column.field.attr else 0.0)


def _same(one: Column, other: Column) -> bool:
    return one is other or (one.field.attr == other.field.attr and one.values == other.values)


def _links(column: Column) -> bool:
    return column.field.attr in _LINKS


def _is(wanted: Wanted, role: str) -> bool:
    return wanted.role is not None and wanted.role.name == role
