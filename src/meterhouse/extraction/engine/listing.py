"""Many records: the list that answers the request best, and the strategy that reads it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from lxml.html import HtmlElement

from meterhouse.extraction.engine.column import Column
from meterhouse.extraction.engine.columns import columns_of
from meterhouse.extraction.engine.document import Document
from meterhouse.extraction.engine.lexicon import BY_NAME
from meterhouse.extraction.engine.match import ACCEPT_MIN, Match, assign
from meterhouse.extraction.engine.reading import run_from
from meterhouse.extraction.engine.request import Wanted, Wish
from meterhouse.extraction.engine.segments import Census, Segment, segments
from meterhouse.extraction.engine.tables import headers_of
from meterhouse.extraction.model import Container, Field

SAMPLE_SMALL = 8
SAMPLE_LARGE = 30
FINALISTS = 4
ALTERNATES_MAX = 4
MENU_COST = 0.15
WIDER_COST_MAX = 0.25
WIDER_RATIO_MIN = 1.3
WIDER_TRIES = 12
WIDER_FILL_MIN = 0.75
WIDER_KEPT_MIN = 0.5
EXACT_KINDS = frozenset({"money", "date", "time"})
DEFAULT_ROLES = ("title", "link", "price", "date", "author", "description", "category", "image")


@dataclass(frozen=True)
class Listing:
    """A chosen list with its fields and how well it answers."""

    container: Container
    fields: Mapping[str, Field]
    score: float
    records: int


def best_listing(document: Document, wish: Wish, census: Census) -> Listing | None:
    """Score candidates on a small sample, then the best few on a larger one."""
    fields = wish.fields or tuple(Wanted(name, (name,), BY_NAME[name]) for name in DEFAULT_ROLES)
    rated = ranked(document, fields, census)
    finals = [(*_rate(segment, fields, document, SAMPLE_LARGE), segment) for _, segment in rated[:FINALISTS]]
    best = max((one for one in finals if one[1]), key=lambda one: one[0], default=None)
    if best is None:
        return None
    for (score, _), segment in rated[:WIDER_TRIES]:
        if score > best[0] - WIDER_COST_MAX and _wider(segment, best[2]):
            score, matches = _rate(segment, fields, document, SAMPLE_LARGE)
            if score > best[0] - WIDER_COST_MAX and _as_good(matches, best[1]):
                best = (score, matches, segment)
    score, matches, segment = best
    return Listing(_container(segment, matches), _fields(matches), score, len(segment.members))


def ranked(
    document: Document, fields: Sequence[Wanted], census: Census
) -> list[tuple[tuple[float, list[Match]], Segment]]:
    """All candidate lists with their score and matches on a small sample, best first."""
    rated = [(_rate(segment, fields, document, SAMPLE_SMALL), segment) for segment in segments(census)]
    return sorted(rated, key=lambda one: -one[0][0])


def columns_for(segment: Segment, document: Document, size: int = SAMPLE_LARGE) -> list[Column]:
    """Every way to read a field of the segment's records, over a sample of them."""
    known = set(segment.members)
    sample = _sample(segment.members, size)
    records = [[head] if segment.mode == "each" else run_from(head, known) for head in sample]
    return columns_of(records, document, headers_of(segment.members[0]))


def _wider(wide: Segment, narrow: Segment) -> bool:
    """True when every record of the narrow list is one of the wide list too, which has more of them."""
    if wide.mode != narrow.mode or len(wide.members) < WIDER_RATIO_MIN * len(narrow.members):
        return False
    members = set(wide.members)
    holders = {next((a for a in (one, *one.iterancestors()) if a in members), None) for one in narrow.members}
    return None not in holders and len(holders) == len(narrow.members)


def _as_good(wide: Sequence[Match], narrow: Sequence[Match]) -> bool:
    """True when the wide list answers the same fields and names each of its records."""
    answered = {one.wanted.name for one in wide if one.score >= ACCEPT_MIN}
    keys = [one for one in wide if one.wanted.role is BY_NAME["title"]] or list(wide[:1])
    same = {one.wanted.name for one in narrow if one.score >= ACCEPT_MIN} <= answered
    fills = {one.wanted.name: one.column.fill for one in wide}
    kept = all(fills.get(one.wanted.name, 0.0) >= WIDER_KEPT_MIN * one.column.fill for one in narrow)
    return same and kept and all(one.column.fill >= WIDER_FILL_MIN for one in keys)


def _rate(
    segment: Segment, fields: Sequence[Wanted], document: Document, size: int
) -> tuple[float, list[Match]]:
    matches = assign(fields, columns_for(segment, document, size))
    answered = sum(_worth(match) * (0.3 + 0.7 * match.column.fill) for match in matches)
    score = answered / (2.0 * max(1, len(fields)))
    crowd = sum(min(3.0, match.column.repeats) - 1 for match in matches) / max(1, len(matches))
    score += 0.045 * min(6.0, math.log2(len(segment.members))) + 0.25 * min(1.0, segment.coverage * 1.5)
    score -= MENU_COST * (segment.linked >= 0.9 and segment.leaves < 1.6 and len(fields) > 2)
    score -= 0.3 * segment.boiler + 0.15 * crowd + 0.03 * (segment.mode == "run")
    return score, matches


def _worth(match: Match) -> float:
    """A guess by place alone says little about whether this is the list that was asked for."""
    if match.score < ACCEPT_MIN:
        return 0.4 * match.score
    if match.wanted.examples:
        return match.score
    exact = match.wanted.role is not None and bool(match.wanted.role.kinds & EXACT_KINDS)
    return min(match.score, 3.0 if exact else 2.6)


def _sample(members: Sequence[HtmlElement], size: int) -> list[HtmlElement]:
    if len(members) <= size:
        return list(members)
    step = len(members) / size
    return [members[int(at * step)] for at in range(size)]


def _container(segment: Segment, matches: Sequence[Match]) -> Container:
    keys = [one.wanted.name for one in matches if one.wanted.role and one.wanted.role.name == "title"]
    if not keys:
        keys = [max(matches, key=lambda one: one.column.fill).wanted.name]
    return Container(segment.selector, segment.mode, tuple(keys), segment.header, segment.alternates)


def _fields(matches: Sequence[Match]) -> dict[str, Field]:
    return {
        one.wanted.name: replace(
            one.column.field,
            many=one.wanted.many and one.column.repeats > 1.2,
            alternates=one.column.alternates[:ALTERNATES_MAX],
            type=one.wanted.type,
        )
        for one in matches
    }
