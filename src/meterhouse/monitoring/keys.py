"""What tells items apart: the field, or pair of fields, that says that two items are the same thing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from meterhouse.monitoring.model import Item
from meterhouse.monitoring.noise import canonical

_SECTION_FIELDS = frozenset({"heading", "level", "content"})
_ID_NAMES = frozenset(
    {"id", "uid", "uuid", "guid", "key", "sku", "asin", "isbn", "ean", "gtin", "upc", "mpn", "doi"}
)
_ADDRESS_NAMES = frozenset({"url", "link", "href", "permalink", "uri"})
_PICTURE_NAMES = frozenset(
    {"image", "img", "picture", "photo", "avatar", "thumbnail", "thumb", "logo", "icon"}
)
_TITLE_NAMES = frozenset({"title", "name", "headline", "heading"})
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


@dataclass(frozen=True)
class Key:
    """Field names whose values together identify an item."""

    names: tuple[str, ...]

    def of(self, item: Item, text: Callable[[object], str] = canonical) -> tuple[str, ...]:
        """The values as texts, equal where `text` makes them equal."""
        return tuple(text(item.get(name)) for name in self.names)


def find_key(
    new: Sequence[Item], old: Sequence[Item], new_only: Sequence[Item], old_only: Sequence[Item]
) -> Key | None:
    """Choose what pairs the items that are on one side only; `None` when nothing identifies items.

    Sections of a text pair by heading and level. Otherwise a field serves that has a plain value in every
    item and never the same one twice in a result: id-like fields first, then addresses, then titles.
    """
    if not new_only or not old_only:
        return None
    if all(item.keys() == _SECTION_FIELDS for side in (new, old) for item in side):
        return Key(("heading", "level"))
    for name in _candidates(new_only[0]):
        key = Key((name,))
        if _identifies(key, new) and _identifies(key, old):
            return key
    return None


def _candidates(item: Item) -> Iterator[str]:
    ranked = [(rank, name) for name in item if (rank := _rank(name)) is not None]
    yield from (name for _, name in sorted(ranked))


def _rank(name: str) -> int | None:
    words = [word.lower() for word in _WORD.findall(name)]
    if not words or _PICTURE_NAMES & set(words):
        return None
    for rank, known in enumerate((_ID_NAMES, _ADDRESS_NAMES, _TITLE_NAMES)):
        if words[-1] in known:
            # A bare `id` or `url` says more about the item than `author_id` or `author_url`.
            return 2 * rank + (len(words) > 1)
    return None


def _identifies(key: Key, items: Sequence[Item]) -> bool:
    name = key.names[0]
    if not all(isinstance(item.get(name), str | int | float) and item.get(name) != "" for item in items):
        return False
    return len({key.of(item) for item in items}) == len(items)
