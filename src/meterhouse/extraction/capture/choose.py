"""Which call of a page brought the records that a reader sees, and where in its answer they are."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from meterhouse.extraction.engine.document import Document, text_of
from meterhouse.extraction.engine.lexicon import alike, fold, tokens_of
from meterhouse.extraction.engine.record_fields import map_fields
from meterhouse.extraction.engine.records import (
    DEPTH_MAX,
    Record,
    is_alike,
    leaves_of,
    read_json,
    records_of,
    texts_of,
)
from meterhouse.extraction.engine.request import Wish
from meterhouse.extraction.model import ExtractionFailed, Field, Item
from meterhouse.extraction.plan import Keys
from meterhouse.platform.ports import RecordedRequest

RECORDS_SAMPLE = 300
NODES_MAX = 20_000
CHOICES_MAX = 4
RATED_MAX = 12
LONG_CHARS = 8
SINGLE_PENALTY = 0.8


@dataclass(frozen=True)
class Visible:
    """What a reader sees of a page: each text by itself, and all of it as one."""

    texts: frozenset[str]
    whole: str

    @classmethod
    def of(cls, document: Document) -> Visible:
        body = document.root.find("body")
        root = document.root if body is None else body
        texts = {
            fold(text)
            for element in root.iter()
            if isinstance(element.tag, str) and element.tag not in ("script", "style") and len(element) <= 3
            for text in (text_of(element), " ".join((element.tail or "").split()))
            if text and len(text) <= 500
        }
        return cls(frozenset(texts), fold(text_of(root)))

    def shows(self, text: str) -> bool:
        folded = fold(text)
        return folded in self.texts or (len(folded) >= LONG_CHARS and folded[:200] in self.whole)


@dataclass(frozen=True)
class Choice:
    """A call with the records in its answer and the fields that answer the wish."""

    call: RecordedRequest
    items: Keys
    single: bool
    fields: Mapping[str, Field]
    score: float
    records: Sequence[Record] = field(repr=False, compare=False, default=())


@dataclass(frozen=True)
class _Found:
    call: RecordedRequest
    items: Keys
    single: bool
    records: list[Record]
    seen: float


def choose(
    calls: Sequence[RecordedRequest], visible: Visible, wish: Wish, shown: Sequence[Item], base: str
) -> list[Choice]:
    """The calls whose records are seen on the page, best first; empty when no call brought them."""
    found = [one for call in calls for one in _found_in(call, visible, wish)]
    found.sort(key=lambda one: -one.seen)
    choices = []
    for one in found[:RATED_MAX]:
        fields, answered = map_fields(one.records, wish, shown, base)
        if fields:
            score = one.seen + 2.0 * answered
            choices.append(Choice(one.call, one.items, one.single, fields, score, one.records))
    choices.sort(key=lambda one: -one.score)  # stable: of equal ones the call made first
    return choices[:CHOICES_MAX]


def choose_unseen(call: RecordedRequest, wish: Wish, base: str) -> list[Choice]:
    """The lists of an answer that was asked for itself, without a page that shows them; best first."""
    answer = read_json(call.response)
    found = [(keys, False, records_of(value)) for keys, value in _lists(answer)]
    if wish.lean <= 0 or not found:
        found += [(keys, True, [value]) for keys, value in _objects(answer)]
    choices = []
    for keys, single, records in found[:RATED_MAX]:
        fields, answered = map_fields(records, wish, [], base)
        if fields:
            score = 2.0 * answered + 0.1 * math.log2(1 + len(records)) - SINGLE_PENALTY * single
            choices.append(Choice(call, keys, single, fields, score, records))
    return sorted(choices, key=lambda one: -one.score)[:CHOICES_MAX]


def _found_in(call: RecordedRequest, visible: Visible, wish: Wish) -> Iterator[_Found]:
    if not 200 <= call.status < 300:
        return
    try:
        answer = read_json(call.response)
    except ExtractionFailed:
        return
    for keys, value in _lists(answer):
        records = records_of(value)
        seen = _seen(records, visible)
        if seen > 0:
            yield _Found(call, keys, False, records, seen)
    if wish.lean <= 0:
        for keys, value in _objects(answer):
            seen = _seen_one(value, visible)
            if seen > 0:
                yield _Found(call, keys, True, [value], seen - SINGLE_PENALTY - 0.3 * wish.lean / 3)


def _seen(records: Sequence[Record], visible: Visible) -> float:
    """How much speaks for these being the records on the page; 0 when too few of them are there."""
    sample = records[:RECORDS_SAMPLE]
    values = [_telling(record) for record in sample]
    counts = Counter(text for texts in values for text in texts)
    shown = sum(
        1
        for texts in values
        if any(counts[text] <= 1 + len(sample) // 20 and visible.shows(text) for text in texts)
    )
    if shown < min(2, len(sample)) or not shown:
        return 0.0
    coverage = shown / len(sample)
    return 2.0 * max(coverage, 0.5 if shown >= 5 else 0.0) + 0.3 * min(6.0, math.log2(1 + shown))


def _seen_one(record: Record, visible: Visible) -> float:
    texts = _telling(record)
    shown = sum(1 for text in texts if visible.shows(text))
    return 0.0 if shown < 2 else 2.0 * shown / max(4, len(texts)) + 0.2 * min(5, shown)


def _telling(record: Record) -> list[str]:
    """Texts of a record that could only by chance stand elsewhere on the page."""
    texts = {text for values in leaves_of(record).values() for text in texts_of(values[:3])}
    return [text for text in texts if len(text) >= 3 and not text.isdigit()]


def _lists(value: object, keys: Keys = (), depth: int = 0) -> Iterator[tuple[Keys, object]]:
    """Lists of objects, and objects of alike objects, that do not lie inside records."""
    if depth > DEPTH_MAX:
        return
    if isinstance(value, list):
        objects = [one for one in value[:NODES_MAX] if isinstance(one, Mapping)]
        if objects and len(objects) * 2 >= len(value):
            yield keys, value
        if len(value) <= 5:  # a few sections rather than many records
            for place, one in enumerate(value):
                yield from _lists(one, (*keys, place), depth + 1)
    elif isinstance(value, Mapping):
        if is_alike(value):
            yield keys, value
        for key, one in list(value.items())[:500]:
            yield from _lists(one, (*keys, str(key)), depth + 1)


def _objects(value: object, keys: Keys = (), depth: int = 0) -> Iterator[tuple[Keys, Record]]:
    if depth > 4 or not isinstance(value, Mapping):
        return
    if sum(1 for one in value.values() if isinstance(one, str | int | float)) >= 2:
        yield keys, value
    for key, one in list(value.items())[:100]:
        yield from _objects(one, (*keys, str(key)), depth + 1)


def other_lists(answer: object, current: Keys, hint: str) -> list[tuple[Keys, list[Record]]]:
    """The lists of an answer except the current one; if keys bear a word of the hint, those alone."""
    found = [(keys, records_of(value)) for keys, value in _lists(answer) if keys != current]
    words = tokens_of(hint)
    named = [
        one for one in found if any(alike(w, t) for w in words for key in one[0] for t in tokens_of(str(key)))
    ]
    return named or found
