"""One record per page: every wanted field gets the source that answers it best, no text twice."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from meterhouse.extraction.engine.column import Column
from meterhouse.extraction.engine.detail_columns import Evidence, evidence_of
from meterhouse.extraction.engine.document import Document, classes_of
from meterhouse.extraction.engine.lexicon import BY_NAME, fold
from meterhouse.extraction.engine.match import Match, assign, bare
from meterhouse.extraction.engine.rating import lexical, rate, said_by_label
from meterhouse.extraction.engine.request import Wanted, Wish
from meterhouse.extraction.engine.segments import Census
from meterhouse.extraction.engine.values import Record, read_field
from meterhouse.extraction.engine.words import words_of
from meterhouse.extraction.model import Field

ACCEPT_MIN = 0.9
OPTIONS_MAX = 12
ALTERNATES_MAX = 4
DEFAULT_ROLES = ("title", "price", "date", "author", "description", "image")
_SIDE_KEYS = frozenset(
    words_of(
        "site_name breadcrumblist itemlist website organization sitenavigationelement searchaction"
        " imageobject wpheader wpfooter newsmediaorganization corporation itemlistelement"
        " breadcrumb comment review reviews"
    )
)
_TRUST = {"jsonld": 0.75, "microdata": 0.7, "meta": 0.35, "state": -0.3}
_UNSEEN_COST = 0.5
_OWN_LABEL_MIN = 0.8
_NAMED_MIN = 1.0
_NAMED_GAIN = 0.6
_LISTED_COST = 1.2
_UNSEEN_CLASSES = frozenset(words_of("sr-only visually-hidden visuallyhidden screen-reader-text a11y-hidden"))
_SUMMARY_CHARS_MIN = 40
_PROSE_CHARS = range(60, 1_500)


@dataclass(frozen=True)
class Detail:
    fields: Mapping[str, Field]
    score: float
    structured: float


def best_detail(document: Document, wish: Wish, census: Census) -> Detail | None:
    """Choose a source for each wanted field of the page's one record."""
    fields = wish.fields or tuple(Wanted(name, (name,), BY_NAME[name]) for name in DEFAULT_ROLES)
    evidence = evidence_of(document, census, [one for one in fields if one.many])
    chosen: dict[str, Field] = {}
    total = trusted = 0.0
    for match in _choose(fields, evidence):
        chosen[match.wanted.name] = _field(match, evidence)
        total += min(match.score, 2.6)
        trusted += match.column.field.source in {"jsonld", "microdata"}
    if not chosen:
        return None
    ordered = {one.name: chosen[one.name] for one in fields if one.name in chosen}
    return Detail(ordered, total / (2.0 * len(fields)), trusted / len(fields))


def options(wanted: Wanted, evidence: Evidence) -> list[Match]:
    """The best answers to one field, best first."""
    columns = evidence.lists + evidence.single if wanted.many else evidence.single
    if wanted.role is BY_NAME["link"]:
        return assign([wanted], columns)
    rated = [Match(wanted, column, score_of(wanted, column, evidence)) for column in columns]
    kept = sorted((one for one in rated if one.score >= ACCEPT_MIN), key=lambda one: -one.score)
    return kept[:OPTIONS_MAX]


def _choose(fields: Sequence[Wanted], evidence: Evidence) -> list[Match]:
    """The surest field chooses first; a text already used is left to its field unless a label names it."""
    ranked = sorted((options(one, evidence) for one in fields), key=lambda rated: -_top(rated))
    chosen: list[Match] = []
    taken: set[str] = set()
    for rated in ranked:
        best = next((one for one in rated if _free(one, taken) and _reads_back(one, evidence)), None)
        if best is not None:
            chosen.append(replace(best, column=bare(best.wanted, best.column, evidence.single)))
            taken.add(_text(best))
    return chosen


def _reads_back(match: Match, evidence: Evidence) -> bool:
    """True when reading gives what was seen, and not a hidden element that comes before it."""
    column = match.column
    if column.field.source != "css" or column.field.many or column.repeats <= 1:
        return True
    return read_field(column.field, Record([evidence.root], evidence.document)) == column.present[0]


def _top(rated: Sequence[Match]) -> float:
    return rated[0].score if rated else 0.0


def _free(match: Match, taken: set[str]) -> bool:
    return _text(match) not in taken or said_by_label(match.wanted, match.column) >= _OWN_LABEL_MIN


def _text(match: Match) -> str:
    return fold(match.column.present[0])


def _field(match: Match, evidence: Evidence) -> Field:
    wanted = match.wanted
    if wanted.role is BY_NAME["description"]:
        match = _untruncated(match, evidence.single)
    column = match.column
    many = column.field.many or (wanted.many and column.repeats > 1)
    others = _alternates(column, evidence, many)
    return replace(column.field, many=many, alternates=others, type=wanted.type)


def _alternates(column: Column, evidence: Evidence, many: bool) -> tuple[Field, ...]:
    """Other ways to the same text, of other sources and anchors first; a list is found again only as one."""
    if many:
        return tuple(replace(one, many=True) for one in column.alternates[:ALTERNATES_MAX])
    value = column.present[0]
    same = [one for one in evidence.single if one.present[0] == value and one.field != column.field]
    same.sort(key=lambda one: (one.derived, one.place < 0))
    kept: dict[tuple[object, ...], Field] = {}
    for one in (column.field, *(other.field for other in same), *column.alternates):
        kept.setdefault((one.source, one.attr, one.selector.split(" ")[0]), one)
    return tuple(kept.values())[1 : ALTERNATES_MAX + 1]


def _untruncated(match: Match, columns: Sequence[Column]) -> Match:
    """Machine-readable descriptions are often cut short: take the text that begins alike and goes on."""
    column = match.column
    if column.field.source not in {"meta", "jsonld", "microdata"}:
        return match
    start = column.present[0][:40]
    longer = [
        other
        for other in columns
        if other.field.source == "css"
        and not other.field.attr
        and other.present[0].startswith(start)
        and len(other.present[0]) > len(column.present[0]) + 3
    ]
    best = min(longer, key=lambda other: len(other.present[0]), default=None)
    return match if best is None else replace(match, column=best)


def score_of(wanted: Wanted, column: Column, evidence: Evidence) -> float:
    """`rate`, with what is known of the page as a whole: its titles, its summary, what a reader sees."""
    score = rate(wanted, column)
    source = column.field.source
    named = said_by_label(wanted, column) >= _NAMED_MIN
    if source in _TRUST:
        score += _trust(wanted, column, evidence)
    role = wanted.role.name if wanted.role else ""
    if named and (role != "title" or _specific(wanted)):
        score += _NAMED_GAIN
    elif role == "title":
        score += _as_title(column, evidence)
    elif role == "description":
        score += _as_summary(column, evidence)
    elif role == "price" and not any(char in "123456789" for char in column.present[0]):
        score -= 1.0
    if column.listed and not wanted.many:
        score -= _LISTED_COST
    if wanted.many and column.repeats > 1:
        score += 0.4 if role in {"tags", "ingredients", "author"} else 0.1
    elif wanted.many and source == "meta" and column.present[0].count(",") > 0:
        score += 0.3
    return score - (0.3 if named else 0.8) * (column.place < 0)


def _specific(wanted: Wanted) -> bool:
    """True when a word of the request says more than the general role does, as in "official title"."""
    known = wanted.role.words if wanted.role else frozenset()
    return any(word not in known for word in wanted.words)


def _trust(wanted: Wanted, column: Column, evidence: Evidence) -> float:
    """Data made for machines is to be believed where its keys answer and a reader can see it too."""
    source = column.field.source
    score = _TRUST[source] - 0.15 * max(0, column.depth - 1)
    if lexical(wanted, column) < 0.3:
        score -= 0.8
    keys = re.split(r"[.:]", column.field.selector.lower())
    if _SIDE_KEYS & set(keys):
        score -= 0.9
    worded = wanted.role is None or wanted.role.kinds <= {"text", "long"}
    role = wanted.role.name if wanted.role else ""
    if worded and not evidence.seen(column.present[0], listed=role in {"tags", "category"}):
        score -= _UNSEEN_COST + 0.4 * (role == "description")
    return score


def _as_title(column: Column, evidence: Evidence) -> float:
    node = column.nodes[0] if column.nodes else None
    score = 0.0
    if node is not None:
        score += {"h1": 0.7, "h2": 0.1}.get(node.tag, 0.3 if node.get("itemprop") else -0.2)
        score -= 0.5 * any(word in _UNSEEN_CLASSES for word in classes_of(node))
    return score + _in_titles(column, evidence.titles)


def _in_titles(column: Column, titles: Sequence[str]) -> float:
    """The title of a page's one record is, as a rule, the greater part of the page's own title."""
    value = fold(column.present[0])
    shares = [len(value) / len(title) for title in titles if len(value) > 2 and value in title]
    if column.field.source == "meta":
        return 0.3 if shares else 0.0
    if shares:
        return 0.2 + 0.9 * max(shares)
    headed = column.nodes[0] is not None and column.nodes[0].tag == "h1"
    return -0.5 if titles and not headed else 0.0


def _as_summary(column: Column, evidence: Evidence) -> float:
    """The page's own summary tells which of its texts is the description; else a paragraph may be it."""
    value = fold(column.present[0])
    score = -0.3 if len(value) > _PROSE_CHARS.stop else 0.0
    if column.field.source in _TRUST:
        return score
    if any(value.startswith(one[:_SUMMARY_CHARS_MIN]) or one.startswith(value) for one in evidence.summaries):
        return score + 1.2 if len(value) >= _SUMMARY_CHARS_MIN else score
    prose = column.nodes[0] is not None and column.nodes[0].tag == "p" and column.breadth < 4
    return score + 0.8 if prose and len(value) in _PROSE_CHARS and column.field.piece is None else score
