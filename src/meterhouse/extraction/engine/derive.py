"""Columns made from parts of texts: what follows a fixed lead, and the date or price inside a sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from meterhouse.extraction.engine.column import LINK_ATTRS, Column, finish
from meterhouse.extraction.engine.kinds import find_kind, kinds_of
from meterhouse.extraction.engine.lexicon import BY_WORDS, fold

LEAD_WORDS_MAX = 2
ALIKE_MIN = 3
DERIVE_BREADTH_MAX = 4
LEAD_TEXT_CHARS_MAX = 60
_DERIVED = ("money", "date", "time", "duration", "area", "mark", "version", "year")


def derive(column: Column) -> Iterator[Column]:
    """Parts of texts: what follows a fixed first word, and the date, price or time inside a sentence."""
    present = column.present
    if column.field.attr in LINK_ATTRS or len(present) < 1 or column.field.regex:
        return
    if sum(len(value) for value in present) / len(present) > 250:
        return
    lead = _lead(present) or _byline(present)
    if lead:
        yield from _cut(column, rf"^{re.escape(lead)}\s*[:：]?\s*(.+)$", lead)
    if column.breadth > DERIVE_BREADTH_MAX:
        return
    for kind in _DERIVED:
        if column.kinds[kind] < 0.5 * len(present):
            values = tuple(find_kind(kind, value) if value else None for value in column.values)
            if sum(1 for value in values if value) >= 0.6 * len(present):
                yield finish(
                    replace(
                        column,
                        field=replace(column.field, regex=f"{{{kind}}}"),
                        values=values,
                        derived=column.derived + 1,
                        breadth=1.0,
                        alternates=(),
                    )
                )


def _cut(column: Column, regex: str, lead: str) -> Iterator[Column]:
    compiled = re.compile(regex, re.I | re.S)
    values = tuple((m.group(1) if (m := compiled.search(v)) else None) if v else None for v in column.values)
    rest = {value for value in values if value}
    if len(rest) > 1 or (rest and len(values) < ALIKE_MIN):
        yield finish(
            replace(
                column,
                field=replace(column.field, regex=regex),
                values=values,
                said=(*column.said, lead.strip(" :：")),
                lead=lead,
                breadth=max(1.0, column.breadth - 1),  # the lead's own words are gone
                derived=column.derived + (0 if lead.endswith((":", "：")) else 1),
                alternates=tuple(replace(one, regex=regex) for one in column.alternates),
            )
        )


def _byline(values: Sequence[str]) -> str | None:
    """The word before the name of somebody who made it, as "by"."""
    if len(values) > 2:
        return None  # then the same first word is found without knowing it
    words = [value.split(" ", 1) for value in values]
    fits = all(
        len(one) == 2 and fold(one[0].strip(":")) in BY_WORDS and "person" in kinds_of(one[1])
        for one in words
    )
    return words[0][0] if fits and len({one[0] for one in words}) == 1 else None


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
    plain = (
        len(shared) <= LEAD_WORDS_MAX
        and sum(len(value) for value in values) / len(values) <= LEAD_TEXT_CHARS_MAX
    )
    if not lead or any(char.isdigit() for char in lead) or not (plain or lead.endswith((":", "："))):
        return None
    return lead
