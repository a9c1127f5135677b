"""Reading fields out of JSON records, whether an answer or a script of a page holds them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from meterhouse.extraction.engine.document import absolute, squeeze
from meterhouse.extraction.engine.kinds import cut
from meterhouse.extraction.engine.records import Record, as_text, plain, values_at
from meterhouse.extraction.model import Field, Item
from meterhouse.extraction.schema import is_url_field

REGEX_INPUT_CHARS_MAX = 2_000


def read_records(fields: Mapping[str, Field], records: Sequence[Record], base: str) -> list[Item]:
    """The flat items; records without any value are left out."""
    items: list[Item] = []
    for record in records:
        item: Item = {name: read_field(name, one, record, base) for name, one in fields.items()}
        if any(value is not None and value != "" for value in item.values()):
            items.append(item)
    return items


def read_field(name: str, one: Field, record: Record, base: str) -> object:
    """The value of a field, or `None`; addresses are absolute."""
    for candidate in (one, *one.alternates):
        values = [_finished(name, candidate, value, base) for value in values_at(record, candidate.selector)]
        kept = [value for value in values if value is not None and value != ""]
        if kept:
            return kept if one.many else kept[0]
    return None


def _finished(name: str, one: Field, value: object, base: str) -> object:
    scalar = plain(value)  # type: ignore[arg-type]
    for pattern in (one.regex, one.trim):
        if pattern is not None:
            scalar = squeeze(cut(pattern, as_text(scalar)[:REGEX_INPUT_CHARS_MAX])) or None
    if one.template is not None:
        return absolute(one.template.replace("{}", as_text(scalar)), base) if scalar is not None else None
    if isinstance(scalar, str) and (is_url_field(name) or scalar.startswith(("/", "./"))):
        looks_like_address = scalar.startswith(("http://", "https://", "/", "./")) and " " not in scalar
        return absolute(scalar, base) if looks_like_address else scalar
    return scalar
