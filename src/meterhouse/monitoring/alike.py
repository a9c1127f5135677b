"""Fuzzy matching of known items with found ones, without a model. Pure.

Two texts are as alike as the pairs of neighbouring letters that their words share (the coefficient of Dice,
from 0 to 100), so neither case, punctuation nor the order of words matters.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from meterhouse.kernel.errors import LimitExceeded
from meterhouse.monitoring.model import Item
from meterhouse.monitoring.noise import canonical, normal_value

THRESHOLD_DEFAULT = 80.0
ITEMS_MAX = 10_000
FIELDS_MAX = 20
TEXT_CHARS_MAX = 2_000
COMPARISONS_MAX = 2_000_000

_Pairs = Counter[str]


@dataclass(frozen=True)
class Match:
    """A known item and the found one that it is; by position. `score` is that of the best field."""

    known: int
    found: int
    score: float
    field: str


@dataclass(frozen=True)
class ManifestComparison:
    """`added` are found items that nobody knew, `removed` known ones that were not found; by position."""

    matched: tuple[Match, ...]
    added: tuple[int, ...]
    removed: tuple[int, ...]


def match_items(
    known: Sequence[Item],
    found: Sequence[Item],
    fields: Sequence[str],
    *,
    threshold: float = THRESHOLD_DEFAULT,
) -> ManifestComparison:
    """Pair items that reach the threshold in some field, the most alike first, each item once.

    Equal scores pair in the order of the items. Raises `LimitExceeded` when too many have to be compared.
    """
    candidates = _equal(known, found, fields)
    budget = COMPARISONS_MAX
    taken_known, taken_found = {match.known for match in candidates}, {match.found for match in candidates}
    left = [at for at in range(len(known)) if at not in taken_known]
    right = [at for at in range(len(found)) if at not in taken_found]
    alike: list[Match] = []
    for name in fields:
        ours = {at: _letters(known[at], name) for at in left}
        theirs = {at: _letters(found[at], name) for at in right}
        for one, other, score in _similar(ours, theirs, Fraction(str(threshold)) / 100):
            budget -= 1
            if budget < 0:
                raise LimitExceeded(
                    f"More than {COMPARISONS_MAX} pairs of items would have to be compared; "
                    "raise the threshold, or send fewer items."
                )
            if score is not None:
                alike.append(Match(one, other, score, name))
    matched = sorted([*candidates, *_assigned(alike)], key=lambda match: match.known)
    gone, new = {match.known for match in matched}, {match.found for match in matched}
    return ManifestComparison(
        tuple(matched),
        added=tuple(at for at in range(len(found)) if at not in new),
        removed=tuple(at for at in range(len(known)) if at not in gone),
    )


def similarity(one: str, other: str) -> float:
    """How alike two texts are, 0 to 100."""
    return _score(_pairs(one), _pairs(other))


def value_text(item: Item, name: str) -> str:
    """The value of a field as text; `a.b` looks into objects where no field has the whole name."""
    value: object = item
    for part in [name] if name in item else name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    if value is None:
        return ""
    normal = normal_value(value)
    return (normal if isinstance(normal, str) else canonical(normal))[:TEXT_CHARS_MAX]


def _equal(known: Sequence[Item], found: Sequence[Item], fields: Sequence[str]) -> list[Match]:
    """Items that are equal in a field: what is certain need not be weighed."""
    matches: list[Match] = []
    taken_known: set[int] = set()
    taken_found: set[int] = set()
    for name in fields:
        waiting: dict[str, list[int]] = defaultdict(list)
        for at in reversed(range(len(found))):
            text = " ".join(_words(value_text(found[at], name)))
            if text and at not in taken_found:
                waiting[text].append(at)
        for at, item in enumerate(known):
            others = waiting.get(" ".join(_words(value_text(item, name))))
            if others and at not in taken_known:
                matches.append(Match(at, others.pop(), 100.0, name))
                taken_known.add(at)
                taken_found.add(matches[-1].found)
    return matches


def _assigned(alike: Iterable[Match]) -> Iterator[Match]:
    known: set[int] = set()
    found: set[int] = set()
    for match in sorted(alike, key=lambda one: (-one.score, one.known, one.found)):
        if match.known not in known and match.found not in found:
            known.add(match.known)
            found.add(match.found)
            yield match


def _similar(
    ours: Mapping[int, _Pairs], theirs: Mapping[int, _Pairs], threshold: Fraction
) -> Iterator[tuple[int, int, float | None]]:
    """Pairs that were compared, with their score where it reaches the threshold.

    Texts that reach it share one of their rarest pairs of letters; only those are compared.
    """
    frequency: Counter[str] = Counter()
    for letters in theirs.values():
        frequency.update(letters.keys())
    index: dict[str, list[int]] = defaultdict(list)
    for at, letters in theirs.items():
        for pair in _rarest(letters, frequency, threshold):
            index[pair].append(at)
    everyone = [at for at, letters in theirs.items() if letters]
    for at, letters in ours.items():
        if not letters:
            continue
        near = {other for pair in _rarest(letters, frequency, threshold) for other in index.get(pair, ())}
        for other in sorted(near) if threshold > 0 else everyone:
            score = _score(letters, theirs[other])
            yield at, other, score if score >= 100 * threshold else None


def _rarest(letters: _Pairs, frequency: Counter[str], threshold: Fraction) -> list[str]:
    """As many of the rarest pairs as one that reaches the threshold cannot do without."""
    size = letters.total()
    needed = math.ceil(threshold / (2 - threshold) * size)
    ordered = sorted(letters, key=lambda pair: (frequency[pair], pair))
    taken: list[str] = []
    rest = size
    for pair in ordered:
        if rest < needed:
            break
        taken.append(pair)
        rest -= letters[pair]
    return taken


def _score(one: _Pairs, other: _Pairs) -> float:
    total = one.total() + other.total()
    small, large = sorted((one, other), key=len)
    shared = sum(min(count, large[pair]) for pair, count in small.items() if pair in large)
    return round(200 * shared / total, 1) if total else 0.0


def _letters(item: Item, name: str) -> _Pairs:
    return _pairs(value_text(item, name))


def _pairs(text: str) -> _Pairs:
    pairs: _Pairs = Counter()
    for word in _words(text):
        padded = f" {word} "
        pairs.update(padded[at : at + 2] for at in range(len(padded) - 1))
    return pairs


def _words(text: str) -> list[str]:
    folded = "".join(char if char.isalnum() else " " for char in text.casefold())
    return folded.split() or ([text] if text else [])
