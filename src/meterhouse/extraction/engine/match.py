"""Which column answers which wanted field: all fields together, no text for two of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations, product

from meterhouse.extraction.engine.column import Column
from meterhouse.extraction.engine.lexicon import BY_WORDS, alike, tokens_of
from meterhouse.extraction.engine.rating import AT_WORDS, rate, rate_link
from meterhouse.extraction.engine.request import Wanted

ACCEPT_MIN = 0.95
OPTIONS_MAX = 12
LEFTOVER_MIN = 0.3
LEFTOVER_FIELDS_MAX = 4
LEFTOVER_OPTIONS_MAX = 5
ORDER_GAIN = 0.3
LAST = 1e9
# What a number counts cannot be guessed from the number.
_TOLD_BY_WORDS = frozenset({"rating", "votes", "stars", "forks", "comments", "views", "discount"})


@dataclass(frozen=True)
class Match:
    wanted: Wanted
    column: Column
    score: float


def assign(fields: Sequence[Wanted], columns: Sequence[Column]) -> list[Match]:
    """The best column for each field, no column twice; links are chosen after the title they belong to."""
    links = [one for one in fields if _is(one, "link")]
    others = [one for one in fields if not _is(one, "link")]
    paired = _pair_up(others, columns)
    paired += _leftovers(
        [one for one in others if all(one is not m.wanted for m in paired)], paired, columns, fields
    )
    chosen = {one.wanted.name: one for one in _own_words(paired, columns)}
    used = [one.column for one in chosen.values()]
    title = next((one.column for one in chosen.values() if _is(one.wanted, "title")), None)
    for wanted in links:
        best = max(
            (
                Match(wanted, column, rate_link(wanted, column, title))
                for column in columns
                if column.field.attr == "href"
            ),
            key=lambda one: one.score,
            default=None,
        )
        if best is not None and best.score >= ACCEPT_MIN and not any(_same(best.column, c) for c in used):
            chosen[wanted.name] = best
            used.append(best.column)
    return [chosen[one.name] for one in fields if one.name in chosen]


def _pair_up(fields: Sequence[Wanted], columns: Sequence[Column]) -> list[Match]:
    """Pair fields and columns for the best sum: greedily, then by moving a field aside where that gains."""
    options: list[list[Match]] = []
    for wanted in fields:
        rated = [
            Match(wanted, column, score)
            for column in columns
            if (score := rate(wanted, column)) >= ACCEPT_MIN
        ]
        # Of equals the first on the page: fields are often asked for in its order.
        rated.sort(key=lambda one: (-round(one.score, 2), one.column.place or LAST))
        options.append(rated[:OPTIONS_MAX])
    held: list[Match | None] = [None] * len(fields)
    order = sorted(range(len(fields)), key=lambda at: -(options[at][0].score if options[at] else 0.0))
    for at in order:
        held[at] = _free(options[at], held, at)
    for _ in range(3):
        for at in order:
            _displace(at, options, held)
    return [one for one in held if one is not None]


def _free(options: Sequence[Match], held: Sequence[Match | None], at: int) -> Match | None:
    taken = [one.column for other, one in enumerate(held) if one is not None and other != at]
    return next((one for one in options if not any(_same(one.column, column) for column in taken)), None)


def _displace(at: int, options: list[list[Match]], held: list[Match | None]) -> None:
    """Take a column from its holder when both together are better off."""
    now = held[at]
    for wish in options[at]:
        if now is not None and wish.score <= now.score:
            return
        holder = next(
            (o for o, one in enumerate(held) if o != at and one and _same(one.column, wish.column)), None
        )
        if holder is None:
            held[at] = wish
            return
        before = (now.score if now else 0.0) + (held[holder].score if held[holder] else 0.0)  # type: ignore[union-attr]
        trial = [*held]
        trial[at] = wish
        other = _free(options[holder], trial, holder)
        if wish.score + (other.score if other else 0.0) > before + 0.01:
            held[at], held[holder] = wish, other
            return


def _leftovers(
    fields: Sequence[Wanted], paired: Sequence[Match], columns: Sequence[Column], order: Sequence[Wanted]
) -> list[Match]:
    """Fields that no words point to may be texts that nothing else uses, best in the request's order."""
    free = [one for one in columns if _plain(one) and not any(_touch(one, m.column) for m in paired)]
    open_fields = [one for one in fields if one.role is None or one.role.name not in _TOLD_BY_WORDS]
    rated = [_by_rest(wanted, free) for wanted in open_fields[:LEFTOVER_FIELDS_MAX]]
    best: tuple[float, list[Match]] = (0.0, [])
    for combination in product(*([None, *options] for options in rated)):
        chosen = [one for one in combination if one is not None]
        if len(chosen) > 1 and any(_touch(a.column, b.column) for a, b in combinations(chosen, 2)):
            continue
        held = [*paired, *chosen]
        total = sum(
            one.score + ORDER_GAIN * _in_order(one.wanted, one.column, held, order) - LEFTOVER_MIN
            for one in chosen
        )
        if total > best[0]:
            best = (total, chosen)
    return best[1]


def _by_rest(wanted: Wanted, free: Sequence[Column]) -> list[Match]:
    """The best free texts for a field; a header over one speaks against it, as it names something else."""
    rated = [
        Match(
            wanted,
            column,
            rate(wanted, column)
            + 0.15 * min(1.0, 3 * len(set(column.present)) / len(column.present))
            - 0.3 * column.headed
            - 0.15 * (column.breadth > 1),
        )
        for column in free
        if len(column.values) > 1
    ]
    rated = [one for one in rated if one.score + ORDER_GAIN >= LEFTOVER_MIN]
    return sorted(rated, key=lambda one: -one.score)[:LEFTOVER_OPTIONS_MAX]


def _plain(column: Column) -> bool:
    """A whole text of one element that no header or label gives to another field."""
    return (
        column.field.source == "css"
        and (column.field.attr in {None, "alt"} and not column.field.regex and not column.derived)
        and column.breadth < 3
        and len(set(column.present)) > 1
    )


def _touch(one: Column, other: Column) -> bool:
    """True when the columns share text: the same element, or one inside the other."""
    parts = not (_whole(one) and _whole(other))  # a date cut out of a text leaves the elements inside it free
    for a, b in zip(one.nodes, other.nodes, strict=True):
        if a is None or b is None:
            continue
        if a is b or (not parts and (a in b.iterancestors() or b in a.iterancestors())):
            return True
    return False


def _in_order(wanted: Wanted, column: Column, held: Sequence[Match], order: Sequence[Wanted]) -> bool:
    """True when the column stands between those of the fields asked for before and after."""
    at = order.index(wanted)
    places = {order.index(one.wanted): one.column.place for one in held if one.column.place}
    before = max((place for other, place in places.items() if other < at), default=-1.0)
    after = min((place for other, place in places.items() if other > at), default=float("inf"))
    return before < column.place < after


def _own_words(matches: list[Match], columns: Sequence[Column]) -> list[Match]:
    """A text that holds another chosen field inside itself keeps only its own words."""
    kept: list[Match] = []
    for one in (replace(one, column=bare(one.wanted, one.column, columns)) for one in matches):
        inner = any(other is not one and _holds(one.column, other.column) for other in matches)
        own = next((c for c in columns if inner and _piece_of(one.column, c)), None)
        kept.append(replace(one, column=own) if own is not None else one)
    return kept


def _holds(outer: Column, inner: Column) -> bool:
    if outer.field.source != "css" or not _whole(outer) or inner.field.regex or inner.field.attr:
        return False
    pairs = [(o, i) for o, i in zip(outer.nodes, inner.nodes, strict=True) if o is not None and i is not None]
    return bool(pairs) and all(o is not i and o in i.iterancestors() for o, i in pairs)


def _whole(column: Column) -> bool:
    """True when the column reads all the words of its elements."""
    return column.field.piece is None and not column.field.attr and not column.field.regex


def _piece_of(whole: Column, part: Column) -> bool:
    return (
        part.field.piece == 0
        and part.field.regex is None
        and part.nodes == whole.nodes
        and part.fill >= 0.9 * whole.fill
        and min(len(value) for value in part.present) > 1
    )


def bare(wanted: Wanted, column: Column, columns: Sequence[Column]) -> Column:
    """The same texts without a lead that only names the field, as "Title:" or "by", where that was mined."""
    if column.field.source != "css" or column.field.attr or column.field.regex:
        return column
    return next((one for one in columns if one.lead and _cut_of(wanted, column, one)), column)


def _cut_of(wanted: Wanted, whole: Column, part: Column) -> bool:
    same = part.nodes == whole.nodes and part.field.piece == whole.field.piece and not part.field.attr
    same = same and part.field.source == whole.field.source
    if not same or part.fill < 0.9 * whole.fill:
        return False
    tokens = tokens_of(part.lead)
    numbered = not part.lead.endswith((":", "：")) and all(value.isdecimal() for value in part.present)
    if numbered and wanted.role is not None and wanted.role.kinds == {"text"}:
        return False  # "Room 1" is the whole name
    known = wanted.role.words if wanted.role else frozenset()
    if tokens and tokens[-1] in BY_WORDS | AT_WORDS and not _is(wanted, "title"):
        return True
    # Without a colon only the field's own vocabulary counts: "Phone" of "phone titles" is part of each title.
    asked = wanted.words if part.lead.endswith((":", "：")) else ()
    named = (token in known or any(alike(word, token) for word in asked) for token in tokens)
    return bool(tokens) and all(named)


def _same(one: Column, other: Column) -> bool:
    if one is other or (one.field.attr == other.field.attr and one.values == other.values):
        return True
    if one.field.attr or other.field.attr or one.field.source != other.field.source:
        return False
    if one.nodes == other.nodes:
        return bool(one.lead or other.lead) and one.field.piece == other.field.piece
    return _holds(one, other) or _holds(other, one) or _nearly(one, other)


def _nearly(one: Column, other: Column) -> bool:
    """True when one text is the other with a sign more, and one element stands inside the other."""
    pairs = [(a, b) for a, b in zip(one.values, other.values, strict=True) if a and b]
    close = sum(1 for a, b in pairs if abs(len(a) - len(b)) <= 2 and (a.startswith(b) or b.startswith(a)))
    return len(pairs) > 1 and close >= 0.8 * len(pairs) and _touch(one, other)


def _is(wanted: Wanted, role: str) -> bool:
    return wanted.role is not None and wanted.role.name == role
