"""Reading strategy documents, also those written by hand: every fault is told by its path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from meterhouse.kernel.errors import Invalid, Issue

_T = TypeVar("_T")


def refused(path: tuple[str | int, ...], message: str) -> Invalid:
    """The fault at this place of a document as an error."""
    where = ".".join(str(step) for step in path) or "document"
    return Invalid(
        f"The strategy document cannot be used: {where}: {message}.", issues=(Issue(path, message),)
    )


class DocumentReader:
    """Reads one JSON object of a document and refuses values of the wrong kind by their path."""

    def __init__(self, document: object, path: tuple[str | int, ...]) -> None:
        if not isinstance(document, Mapping) or not all(isinstance(key, str) for key in document):
            raise refused(path, "an object is needed")
        self.document: Mapping[str, object] = document
        self._path = path

    def only(self, *known: str) -> None:
        for key in self.document:
            if key not in known:
                raise refused((*self._path, key), "this key is not known")

    def value(self, key: str, default: object) -> object:
        value = self.document.get(key)
        return default if value is None else value

    def text(self, key: str) -> str | None:
        return self._typed(key, str, "text")

    def flag(self, key: str) -> bool:
        return bool(self._typed(key, bool, "true or false"))

    def integer(self, key: str, default: int | None = None) -> int | None:
        value = self._typed(key, int, "a whole number")
        return default if value is None else value

    def number(self, key: str) -> float:
        value = self.document.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise refused((*self._path, key), "a number is needed")
        return float(value)

    def sequence(self, key: str) -> Sequence[object]:
        return self._typed(key, list, "a list") or []

    def texts(self, key: str) -> tuple[str, ...]:
        values = self.sequence(key)
        if not all(isinstance(value, str) for value in values):
            raise refused((*self._path, key), "a list of texts is needed")
        return tuple(str(value) for value in values)

    def keys(self, key: str) -> tuple[str | int, ...]:
        """A path into JSON: names of members and places in lists."""
        values = self.sequence(key)
        if not all(isinstance(value, str | int) and not isinstance(value, bool) for value in values):
            raise refused((*self._path, key), "a list of texts and whole numbers is needed")
        return tuple(value for value in values if isinstance(value, str | int))

    def choice(self, key: str, known: Sequence[str], default: str) -> str:
        value = self._typed(key, str, "text") or default
        if value not in known:
            raise refused((*self._path, key), f"one of {', '.join(known)} is needed")
        return value

    def _typed(self, key: str, kind: type[_T], wanted: str) -> _T | None:
        value = self.document.get(key)
        if value is None:
            return None
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise refused((*self._path, key), f"{wanted} is needed")
        return value
