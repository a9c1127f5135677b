"""Which value of a JSON record answers which wanted field: words, forms, and what the page shows for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from meterhouse.extraction.engine.document import absolute
from meterhouse.extraction.engine.kinds import kinds_of
from meterhouse.extraction.engine.lexicon import BY_NAME, alike, fold, tokens_of
from meterhouse.extraction.engine.record_links import link_template
from meterhouse.extraction.engine.records import Record, last_step, leaves_of, plain, texts_of
from meterhouse.extraction.engine.request import Wanted, Wish
from meterhouse.extraction.model import Field, Item
from meterhouse.extraction.plan import Scalar
from meterhouse.extraction.schema import parse_number

SAMPLE = 60
ACCEPT_MIN = 0.75
DEFAULT_FIELDS_MAX = 15
_LINK_ROLES = ("link", "image")


@dataclass(frozen=True)
class Leaf:
    """One path into the records, with the value each record of the sample has there."""

    path: str
    values: tuple[Scalar, ...]
    repeats: float
    own: tuple[str, ...]
    near: tuple[str, ...]

    @property
    def present(self) -> list[str]:
        return texts_of(self.values)

    @property
    def fill(self) -> float:
        return sum(1 for value in self.values if value is not None) / max(1, len(self.values))


def leaves(records: Sequence[Record]) -> list[Leaf]:
    """Every path that leads to values, in the order of the first records."""
    sample = records[:SAMPLE]
    gathered = [leaves_of(record) for record in sample]
    paths = list(dict.fromkeys(path for one in gathered for path in one))
    found = []
    for path in paths:
        lists = [one.get(path, []) for one in gathered]
        steps = path.split(".")
        found.append(
            Leaf(
                path=path,
                values=tuple(plain(values[0]) if values else None for values in lists),
                repeats=sum(map(len, lists)) / max(1, sum(1 for values in lists if values)),
                own=tokens_of(last_step(path)),
                near=tokens_of(" ".join(steps[:-1])),
            )
        )
    return found


def map_fields(
    records: Sequence[Record], wish: Wish, shown: Sequence[Item], base: str
) -> tuple[dict[str, Field], float]:
    """The fields of a strategy, and how well they answer the wish (1 is well).

    `shown` are the items that the page's own markup gives: values that agree with them are the right ones.
    """
    paths = leaves(records)
    if not wish.fields:
        return _all_fields(paths), 0.5
    rated: list[tuple[float, int, Leaf]] = []
    for place, wanted in enumerate(wish.fields):
        seen = [str(item[wanted.name]) for item in shown if item.get(wanted.name)]
        rated += [(rate(wanted, leaf, seen, base), place, leaf) for leaf in paths]
    rated.sort(key=lambda one: (-one[0], one[1]))
    chosen: dict[int, tuple[float, Leaf]] = {}
    for score, place, leaf in rated:
        if score < ACCEPT_MIN:
            break
        if place not in chosen and all(leaf is not other for _, other in chosen.values()):
            chosen[place] = (score, leaf)
    fields: dict[str, Field] = {}
    for place, wanted in enumerate(wish.fields):
        found = _field(wanted, chosen.get(place), paths, shown, base)
        if found is not None:
            fields[wanted.name] = found
    return fields, sum(min(2.5, score) for score, _ in chosen.values()) / (2.0 * len(wish.fields))


def _field(
    wanted: Wanted,
    chosen: tuple[float, Leaf] | None,
    paths: Sequence[Leaf],
    shown: Sequence[Item],
    base: str,
) -> Field | None:
    many = wanted.many and chosen is not None and chosen[1].repeats > 1
    plain_field = (
        Field(source="json", selector=chosen[1].path, type=wanted.type, many=many) if chosen else None
    )
    if wanted.role is None or wanted.role.name not in _LINK_ROLES:
        return plain_field
    if chosen is not None and _is_address(chosen[1]):
        return plain_field
    links = [str(item[wanted.name]) for item in shown if item.get(wanted.name)]
    built = link_template(links, {leaf.path: leaf.present for leaf in paths}, base)
    if built is None:
        return plain_field
    return Field(source="json", selector=built[0], template=built[1], type=wanted.type)


def rate(wanted: Wanted, leaf: Leaf, seen: Sequence[str], base: str = "") -> float:
    """How well a path answers a field: above 1 is a good answer."""
    present = leaf.present
    if not present:
        return 0.0
    words = _words(wanted, leaf)
    score = 1.2 * words + _form(wanted, leaf) + 0.3 * leaf.fill + 1.5 * _agreement(seen, present, base)
    score -= 0.08 * len(leaf.near)
    if len(present) > 3 and len(set(present)) == 1:
        score -= 0.3
    if not words and not seen and (wanted.role is None or not wanted.role.kinds - {"text", "long"}):
        score -= 0.5
    return score


def _words(wanted: Wanted, leaf: Leaf) -> float:
    """1 when the names are the same; less for a role's hint, least for names further up the path."""
    hits = sum(1 for word in wanted.words if any(alike(word, name) for name in leaf.own))
    if hits:
        back = sum(1 for name in leaf.own if any(alike(name, word) for word in wanted.words))
        return 0.4 + 0.3 * hits / len(wanted.words) + 0.3 * back / len(leaf.own)
    role = wanted.role
    if role is not None and role.hints & set(leaf.own):
        return 0.65
    if any(alike(word, name) for word in wanted.words for name in leaf.near):
        return 0.45
    return 0.3 if role is not None and role.hints & set(leaf.near) else 0.0


def _form(wanted: Wanted, leaf: Leaf) -> float:
    present = leaf.present
    kinds: Counter[str] = Counter()
    for value in present[:SAMPLE]:
        kinds.update(kinds_of(value))
    share = {kind: count / len(present[:SAMPLE]) for kind, count in kinds.items()}
    role = wanted.role
    if role is None:
        return 0.1
    if role.name in _LINK_ROLES:
        return 0.5 if _is_address(leaf) else -1.0
    if role is BY_NAME["title"] or role.kinds == {"text"}:
        distinct = len(set(present)) / len(present)
        deep = len(leaf.near)  # a title is the record's own; other things have names as well
        far = 0.25 * deep if role is BY_NAME["title"] else 0.2 * max(0, deep - 1)
        odd = max(share.get(kind, 0.0) for kind in ("number", "date", "url", "code", "money"))
        return 0.3 * share.get("text", 0.0) + 0.2 * distinct - odd - far
    best = max((share.get(kind, 0.0) for kind in role.kinds), default=0.0)
    return 0.5 * best - 0.5 * (1 - best)


def _is_address(leaf: Leaf) -> bool:
    present = leaf.present[:SAMPLE]
    return bool(present) and all(
        value.startswith(("http://", "https://", "/", "./")) and " " not in value for value in present
    )


def _agreement(seen: Sequence[str], present: Sequence[str], base: str) -> float:
    """The share of the values shown on the page that are among these."""
    if not seen:
        return 0.0
    known = {fold(value) for value in present}
    known |= {fold(link) for value in present if value.startswith("/") and (link := absolute(value, base))}
    numbers = {number for value in present if (number := parse_number(value)) is not None}
    hits = sum(
        1
        for value in seen
        if fold(value) in known or ((number := parse_number(value)) is not None and number in numbers)
    )
    return hits / len(seen)


def _all_fields(paths: Sequence[Leaf]) -> dict[str, Field]:
    """Without a wish, what stands at the top of the records."""
    top = [leaf for leaf in paths if not leaf.near and leaf.fill >= 0.5][:DEFAULT_FIELDS_MAX]
    return {leaf.path: Field(source="json", selector=leaf.path, many=leaf.repeats > 1) for leaf in top}
