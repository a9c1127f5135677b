"""What of a strategy's results counts as content: rules that users set beside those of `noise.py`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from meterhouse.extraction import service as extraction
from meterhouse.kernel.errors import Invalid, Issue
from meterhouse.monitoring.model import Item
from meterhouse.monitoring.noise import canonical

FIELDS_MAX = 100
KEY_FIELDS_MAX = 10
NAME_CHARS_MAX = 500
_KNOWN = ("ignore_fields", "key_fields", "ignore_case", "ordered")


@dataclass(frozen=True)
class ChangeRules:
    """Fields that are no content (`a.b` is one within another), fields that tell items apart (none: they are
    found), whether letter case is noise, and whether the order of items is content."""

    ignored: frozenset[str] = frozenset()
    key: tuple[str, ...] = ()
    ignores_case: bool = False
    is_ordered: bool = False

    @classmethod
    def parse(cls, document: object) -> ChangeRules:
        """Read rules; nothing and `{}` are the standard ones. Raises `Invalid` with the path of the fault."""
        if document is None:
            return STANDARD
        if not isinstance(document, Mapping):
            raise _refused((), "an object is needed")
        for name in document:
            if name not in _KNOWN:
                raise _refused((name,), f"is not known; there are {', '.join(_KNOWN)}")
        return cls(
            ignored=frozenset(_names(document, "ignore_fields", FIELDS_MAX)),
            key=_names(document, "key_fields", KEY_FIELDS_MAX),
            ignores_case=_flag(document, "ignore_case"),
            is_ordered=_flag(document, "ordered"),
        )

    def to_document(self) -> dict[str, object] | None:
        """The rules as they are stored; the standard ones are none."""
        found: dict[str, object] = {
            "ignore_fields": sorted(self.ignored),
            "key_fields": list(self.key),
            "ignore_case": self.ignores_case,
            "ordered": self.is_ordered,
        }
        return {name: value for name, value in found.items() if value} or None

    def counted(self, item: Item) -> Item:
        """The item without what is no content."""
        if not self.ignored:
            return item
        return extraction.without_fields([item], self.ignored, joined_by=".")[0]

    def text(self, value: object) -> str:
        """A value as canonical text: equal exactly for what counts as equal."""
        text = canonical(value)
        return text.casefold() if self.ignores_case else text

    def content(self, item: Item) -> str:
        """An item as canonical text of what of it is content."""
        return self.text(self.counted(item))


STANDARD = ChangeRules()


def _names(document: Mapping[str, object], key: str, most: int) -> tuple[str, ...]:
    values = document.get(key)
    if values is None:
        return ()
    if not isinstance(values, list) or len(values) > most:
        raise _refused((key,), f"a list of at most {most} names of fields is needed")
    for at, value in enumerate(values):
        if not isinstance(value, str) or not 1 <= len(value) <= NAME_CHARS_MAX:
            raise _refused((key, at), "the name of a field is needed")
    return tuple(dict.fromkeys(values))


def _flag(document: Mapping[str, object], key: str) -> bool:
    value = document.get(key)
    if value is not None and not isinstance(value, bool):
        raise _refused((key,), "true or false is needed")
    return bool(value)


def _refused(path: tuple[str | int, ...], why: str) -> Invalid:
    where = ".".join(str(step) for step in ("change_rules", *path))
    return Invalid(f"The change rules cannot be used: {where}: {why}.", issues=(Issue(path, why),))
