"""Keyword filters: the small search language in which changes are read (reference, 12.2). Pure.

    query  = { blank | clause }
    clause = [ "+" | "-" ] ( phrase | term )
    phrase = '"' any text without '"' '"'
    term   = any run without blanks and '"'

Every `+` clause must match and no `-` clause may. Without a `+` clause at least one plain clause must match,
if there is one. An open quote runs to the end; a sign that stands alone says nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from meterhouse.kernel.errors import LimitExceeded

FILTER_LENGTH_MAX = 2_000

_CLAUSE = re.compile(r'([+-]?)(?:"([^"]*)(?:"|\Z)|([^\s"]+))')
# Scripts that put no blanks between words: a word in them is found wherever it stands.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)


@dataclass(frozen=True)
class Clause:
    """One wanted text, normalised. A whole word is found only between non-word characters."""

    text: str
    is_whole_word: bool

    def matches(self, texts: Sequence[str]) -> bool:
        return any(self._is_in(text) for text in texts)

    def _is_in(self, text: str) -> bool:
        at = text.find(self.text)
        while at >= 0:
            end = at + len(self.text)
            if not self.is_whole_word or not (_is_word(text[at - 1 : at]) or _is_word(text[end : end + 1])):
                return True
            at = text.find(self.text, at + 1)
        return False


@dataclass(frozen=True)
class KeywordFilter:
    """A filter taken apart. Without any clause it keeps everything."""

    required: tuple[Clause, ...] = ()
    forbidden: tuple[Clause, ...] = ()
    optional: tuple[Clause, ...] = ()

    @classmethod
    def parse(cls, text: str) -> KeywordFilter:
        """Read a filter; every text is one. Raises `LimitExceeded` for one of more than 2,000 characters."""
        if len(text) > FILTER_LENGTH_MAX:
            raise LimitExceeded(f"A filter has at most {FILTER_LENGTH_MAX} characters, this has {len(text)}.")
        found: dict[str, list[Clause]] = {"+": [], "-": [], "": []}
        for sign, phrase, term in _CLAUSE.findall(text):
            if term in ("+", "-") and not sign:
                continue
            wanted = _normal(term or phrase)
            if wanted:
                found[sign].append(Clause(wanted, is_whole_word=_is_plain(wanted)))
        return cls(tuple(found["+"]), tuple(found["-"]), tuple(found[""]))

    @property
    def is_empty(self) -> bool:
        return not (self.required or self.forbidden or self.optional)

    def keeps(self, item: Mapping[str, object]) -> bool:
        """Whether an item is kept: its texts and numbers are searched, at any depth, and not its keys."""
        texts = [_normal(text) for text in _texts(item)]
        if any(clause.matches(texts) for clause in self.forbidden):
            return False
        if self.required:
            return all(clause.matches(texts) for clause in self.required)
        return not self.optional or any(clause.matches(texts) for clause in self.optional)

    def select(self, items: Sequence[Mapping[str, object]]) -> list[Mapping[str, object]]:
        """The items that are kept, in their order."""
        return [item for item in items if self.keeps(item)]


def _texts(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case bool() | None:
            return
        case int() | float():
            yield f"{value:.15g}" if isinstance(value, float) else str(value)
        case Mapping():
            for one in value.values():
                yield from _texts(one)
        case list() | tuple():
            for one in value:
                yield from _texts(one)


def _normal(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _is_plain(text: str) -> bool:
    """Whether a text consists of words between blanks, so that only whole words count."""
    return all(_is_word(char) or char == " " for char in text) and not _UNSPACED.search(text)


def _is_word(char: str) -> bool:
    return bool(char) and (char.isalnum() or char == "_" or unicodedata.category(char).startswith("M"))
