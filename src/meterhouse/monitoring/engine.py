"""Pure comparison of results: content hash, structural signature, diff, similarity (reference, 8.5 and 9)."""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections import Counter, defaultdict, deque
from collections.abc import Hashable, Sequence

from meterhouse.monitoring import keys
from meterhouse.monitoring.model import Comparison, Diff, FieldChange, Item, Modified, Signature
from meterhouse.monitoring.noise import canonical, normal_value
from meterhouse.monitoring.rules import STANDARD, ChangeRules
from meterhouse.monitoring.words import describe_diff, describe_structure

# Different content is never called fully alike, however close it is.
_SIMILARITY_BELOW_ONE = 0.9999


def measure(items: Sequence[Item], rules: ChangeRules = STANDARD) -> tuple[str, Signature]:
    """`content_hash` and `structural_signature` of a result at once, each item written out once."""
    texts = [rules.content(item) for item in items]
    return _content_digest(texts, rules), _signature(items, texts)


def content_hash(items: Sequence[Item], rules: ChangeRules = STANDARD) -> str:
    """SHA-256 (hex) of the items as one JSON array of canonical items in sorted order.

    Sorting makes it a hash of the multiset: order is no content (unless rules say so), repetition is.
    """
    return _content_digest([rules.content(item) for item in items], rules)


def structural_signature(items: Sequence[Item]) -> Signature:
    """The shape of a result: item count, per field its types and in how many items it has a value.

    Lists add their shortest and longest `length`. `order_hash` covers the items in order: with an equal
    content hash, another `order_hash` means that items only changed places.
    """
    return _signature(items, [canonical(item) for item in items])


def _signature(items: Sequence[Item], texts: Sequence[str]) -> Signature:
    fields: dict[str, dict[str, object]] = {}
    for name in sorted({name for item in items for name in item}):
        values = [item[name] for item in items if name in item]
        lengths = [len(value) for value in values if isinstance(value, list | tuple)]
        fields[name] = {
            "types": sorted({json_type(value) for value in values}),
            "present": sum(value is not None for value in values),
        }
        if lengths:
            fields[name]["length"] = [min(lengths), max(lengths)]
    return {"item_count": len(items), "fields": fields, "order_hash": _digest(texts)}


def json_type(value: object) -> str:
    """The JSON name of a value's type. Whole and broken numbers are one type: 20 and 19.99 are prices."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "string"
        case list() | tuple():
            return "array"
        case _:
            return "object"


def structural_match(new: Sequence[Item], old: Sequence[Item]) -> bool:
    """Whether both results have values in the same fields with the same types, in however many items."""
    return _shape(new) == _shape(old)


def has_changes(new_hash: str, previous_hash: str | None) -> bool:
    """Whether content differs from the previous result; the first result is the baseline, hence no change."""
    return previous_hash is not None and new_hash != previous_hash


def diff(new: Sequence[Item], old: Sequence[Item], rules: ChangeRules = STANDARD) -> Diff:
    """What happened from `old` to `new`; items equal after normalisation are the same.

    Of the others, those with the same key are one item in two states (the rules name it, or `keys.find_key`
    says what serves as one). Without a usable key a changed item is one removed and one added.
    """
    new_only, old_only, kept_at = _unmatched(new, old, rules)
    key = keys.Key(rules.key) if rules.key else keys.find_key(new, old, new_only, old_only)
    pairs, new_rest, old_rest = _paired(new_only, old_only, key, rules)
    return Diff(
        added=tuple(new_rest),
        removed=tuple(old_rest),
        modified=tuple(
            Modified(before, after, field_changes(before, after, rules)) for after, before in pairs
        ),
        unchanged=len(kept_at),
        moved=len(kept_at) - _longest_rise(kept_at),
        key=key.names if key else (),
        is_ordered=rules.is_ordered,
    )


def field_changes(before: Item, after: Item, rules: ChangeRules = STANDARD) -> tuple[FieldChange, ...]:
    """The fields whose values differ by what counts of them, those of the new item first."""
    old, new = rules.counted(before), rules.counted(after)
    names = [*new, *(name for name in old if name not in new)]
    return tuple(
        FieldChange(name, before.get(name), after.get(name))
        for name in names
        if rules.text(old.get(name)) != rules.text(new.get(name)) or (name in old) != (name in new)
    )


def similarity(new: Sequence[Item], old: Sequence[Item], rules: ChangeRules = STANDARD) -> float:
    """How alike two results are, 0.0 to 1.0 with four decimals; symmetric, and 1.0 exactly for equal content.

    A share of items, both sides counted: equal items count fully, modified ones by their equal fields and
    words, the rest by the words they have in common.
    """
    difference = diff(new, old, rules)
    if difference.is_empty:
        return 1.0
    score = 2.0 * difference.unchanged
    score += sum(2 * _words_alike([one.after], [one.before], rules) for one in difference.modified)
    rest = len(difference.added) + len(difference.removed)
    score += rest * _words_alike(difference.added, difference.removed, rules)
    return min(round(score / (len(new) + len(old)), 4), _SIMILARITY_BELOW_ONE)


def compare(new: Sequence[Item], old: Sequence[Item], rules: ChangeRules = STANDARD) -> Comparison:
    """Two results side by side; counts and texts tell what happened from `old` to `new`."""
    difference = diff(new, old, rules)
    new_signature, old_signature = structural_signature(new), structural_signature(old)
    return Comparison(
        content_hash_match=difference.is_empty,
        structural_match=structural_match(new, old),
        semantic_similarity=similarity(new, old, rules),
        item_count_diff=len(new) - len(old),
        changes=describe_diff(difference),
        structural_changes=describe_structure(new_signature, old_signature, difference),
    )


def _content_digest(texts: Sequence[str], rules: ChangeRules) -> str:
    return _digest(texts if rules.is_ordered else sorted(texts))


def _digest(texts: Sequence[str]) -> str:
    return hashlib.sha256(f"[{','.join(texts)}]".encode()).hexdigest()


def _shape(items: Sequence[Item]) -> dict[str, set[str]]:
    shape: dict[str, set[str]] = defaultdict(set)
    for item in items:
        for name, value in item.items():
            if value is not None:
                shape[name].add(json_type(value))
    return dict(shape)


def _unmatched(
    new: Sequence[Item], old: Sequence[Item], rules: ChangeRules
) -> tuple[list[Item], list[Item], list[int]]:
    """Items on one side only, and for each item on both sides its old position, in new order."""
    positions: dict[str, deque[int]] = defaultdict(deque)
    for at, item in enumerate(old):
        positions[rules.content(item)].append(at)
    new_only: list[Item] = []
    kept_at: list[int] = []
    for item in new:
        found = positions.get(rules.content(item))
        if found:
            kept_at.append(found.popleft())
        else:
            new_only.append(item)
    left = sorted(at for rest in positions.values() for at in rest)
    return new_only, [old[at] for at in left], kept_at


def _paired(
    new: list[Item], old: list[Item], key: keys.Key | None, rules: ChangeRules
) -> tuple[list[tuple[Item, Item]], list[Item], list[Item]]:
    """Pairs (new, old) of one key, and the rest of either side. Equal keys pair in their order."""
    if key is None:
        return [], new, old
    waiting: dict[Hashable, deque[int]] = defaultdict(deque)
    for at, item in enumerate(old):
        waiting[key.of(item, rules.text)].append(at)
    pairs: list[tuple[Item, Item]] = []
    new_rest: list[Item] = []
    for item in new:
        if found := waiting.get(key.of(item, rules.text)):
            pairs.append((item, old[found.popleft()]))
        else:
            new_rest.append(item)
    left = sorted(at for rest in waiting.values() for at in rest)
    return pairs, new_rest, [old[at] for at in left]


def _longest_rise(positions: Sequence[int]) -> int:
    """Length of the longest run of items that kept their order among each other."""
    ends: list[int] = []
    for position in positions:
        at = bisect_left(ends, position)
        ends[at : at + 1] = [position]
    return len(ends)


def _words_alike(new: Sequence[Item], old: Sequence[Item], rules: ChangeRules) -> float:
    """Share of common words (field name and word counted together), 0.0 to 1.0."""
    ours, theirs = (_words([rules.counted(item) for item in side]) for side in (new, old))
    total = ours.total() + theirs.total()
    return 2 * (ours & theirs).total() / total if total else 0.0


def _words(items: Sequence[Item]) -> Counter[tuple[str, str]]:
    words: Counter[tuple[str, str]] = Counter()
    for item in items:
        for name, value in item.items():
            normal = normal_value(value)
            text = normal if isinstance(normal, str) else canonical(normal)
            words.update((name, word) for word in text.casefold().split() or [""])
    return words
