"""What feedback can ask for."""

from __future__ import annotations

from dataclasses import dataclass

from meterhouse.kernel.errors import Invalid, Issue


@dataclass(frozen=True)
class Add:
    """Look for further fields; `wording` is read like a request."""

    wording: str
    type: str | None = None


@dataclass(frozen=True)
class Drop:
    field: str


@dataclass(frozen=True)
class KeepOnly:
    fields: tuple[str, ...]


@dataclass(frozen=True)
class Rename:
    field: str
    to: str


@dataclass(frozen=True)
class Retype:
    field: str
    type: str


@dataclass(frozen=True)
class Clean:
    """Keep a part of each value. `way` is number, date, time, without, before or after; the last three
    take a text."""

    field: str
    way: str
    text: str = ""


@dataclass(frozen=True)
class OtherList:
    """Read other records than now, with the fields of `wording` if any are named."""

    wording: str = ""


@dataclass(frozen=True)
class Pages:
    count: int


Change = Add | Drop | KeepOnly | Rename | Retype | Clean | OtherList | Pages


def refused(message: str) -> Invalid:
    """A piece of feedback that cannot be carried out."""
    return Invalid(message, issues=(Issue(("feedback",), message),))
