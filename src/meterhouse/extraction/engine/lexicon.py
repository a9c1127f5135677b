"""Words people use for common fields, in many languages, and the traces such fields leave in markup.

A role is a general kind of field. Its `words` are matched against requests, table headers and labels;
its `hints` against class names, attributes and structured-data keys; its `kinds` against values. The words
themselves are in `vocabulary.toml`.
"""

from __future__ import annotations

import tomllib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import regex

COMPOUND_CHARS_MIN = 3
ABBREVIATION_CHARS_MAX = 4

_WORDS: dict[str, Any] = tomllib.loads(
    (Path(__file__).parent / "vocabulary.toml").read_text(encoding="utf-8")
)


@dataclass(frozen=True)
class Role:
    """A general kind of field; `phrases` are its names of several words."""

    name: str
    words: frozenset[str]
    phrases: frozenset[tuple[str, ...]]
    hints: frozenset[str]
    kinds: frozenset[str]

    def names(self, tokens: Sequence[str]) -> bool:
        """True when one of the folded words, or some in a row, is a name of this role."""
        return any(token in self.words for token in tokens) or self._phrased(tokens)

    def _phrased(self, tokens: Sequence[str]) -> bool:
        if not self.phrases or len(tokens) < 2:
            return False
        sizes = {len(phrase) for phrase in self.phrases}
        rows = (tuple(tokens[at : at + size]) for size in sizes for at in range(len(tokens) - size + 1))
        return any(row in self.phrases for row in rows)


# Letters that Unicode does not take apart into a plain one and a mark.
_PLAIN = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ة": "ه", "ى": "ي"}
)


@lru_cache(maxsize=20_000)
def fold(word: str) -> str:
    """Case and accents taken off, so that `Título` and `titulo` meet."""
    plain = unicodedata.normalize("NFKD", word.casefold().translate(_PLAIN))
    return unicodedata.normalize("NFC", "".join(c for c in plain if not unicodedata.combining(c)))


_WORD = regex.compile(r"[^\W\d_][^\W\d_\p{M}]*(?:\p{M}+[^\W\d_]*)*|\d+")
_STEM = regex.compile(r"(?<=\w{3})(ings?|ers?|ed|es|s)$")
_CAMEL = regex.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_GLYPH = regex.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u0e00-\u0e7f]")
# The article, alone or after a preposition or "and", which Arabic writes as part of the word.
_ARABIC_ARTICLE = regex.compile(r"^[وفبكل]?ال(?=\w{2})")
_VOWELS = frozenset("аяоеьйиыуюэαηοεωυι")
_HEBREW_PREFIXES = frozenset("הובלמש")


@lru_cache(maxsize=50_000)
def tokens_of(text: str) -> tuple[str, ...]:
    """The folded words of a text or identifier, in order; camelCase is taken apart."""
    return tuple(_ARABIC_ARTICLE.sub("", fold(word)) for word in _WORD.findall(_CAMEL.sub(" ", text)))


def name_of(text: str) -> str:
    """The words of a text as the name of a field; accents go where plain letters are left."""
    words = (word.casefold() for word in _WORD.findall(_CAMEL.sub(" ", text)))
    return "_".join(plain if (plain := fold(word)).isascii() else word for word in words)


def unspaced(text: str) -> bool:
    """True for writing systems that do not part words by spaces."""
    return bool(_GLYPH.search(text))


@lru_cache(maxsize=100_000)
def alike(one: str, other: str) -> bool:
    """Two folded words are the same but for an ending, as in price / prices, or mean the same of a field."""
    if one == other:
        return True
    if unspaced(one) or unspaced(other):
        return len(min(one, other, key=len)) >= 2 and (one in other or other in one)
    short, long = sorted((one, other), key=len)
    if len(short) >= 4 and len(long) - len(short) <= min(3, len(short) - 2) and long.startswith(short):
        return True
    if len(short) >= 4 and _declined(short, long):
        return True
    if len(long) == len(short) + 1 >= 4 and long[0] in _HEBREW_PREFIXES and long[1:] == short:
        return True
    if _MEANINGS.get(one, _NONE) & _MEANINGS.get(other, _NONE):
        return True
    return len(short) >= 5 and _same_stem(short, long)


def _declined(short: str, long: str) -> bool:
    """The same word in another case, as ссылка and ссылкой: a vowel at the end has become another."""
    if short.isascii() or len(long) - len(short) > 2 or short[:-1] != long[: len(short) - 1]:
        return False
    return short[-1] in _VOWELS and long[len(short) - 1] in _VOWELS


def _same_stem(one: str, other: str) -> bool:
    """The same word with another ending; a reviewer and what is reviewed are two things."""
    ends = [found.group(1)[:2] if (found := _STEM.search(word)) else "" for word in (one, other)]
    return _STEM.sub("", one) == _STEM.sub("", other) and set(ends) != {"er", "ed"}


def abbreviates(short: str, word: str) -> bool:
    """True for `pts` of points, `w` of won: its first letter, and others of it in their order."""
    if not 0 < len(short) <= ABBREVIATION_CHARS_MAX or len(word) <= len(short) or short[0] != word[0]:
        return False
    letters = iter(word)
    return short.isalpha() and all(letter in letters for letter in short)


_NONE: frozenset[int] = frozenset()
_MEANINGS = {
    fold(word): frozenset(at for at, row in enumerate(_WORDS["same"]) if word in row.split())
    for row in _WORDS["same"]
    for word in row.split()
}


def means(word: str, other: str) -> bool:
    """True when the two words say the same of a field, in whatever language."""
    return bool(_MEANINGS.get(word, _NONE) & _MEANINGS.get(other, _NONE))


def _role(row: dict[str, str]) -> Role:
    parts = [tokens_of(word.replace("-", " ")) for word in row["words"].split()]
    return Role(
        row["name"],
        frozenset(part[0] for part in parts if len(part) == 1),
        frozenset(part for part in parts if len(part) > 1),
        frozenset(fold(word) for word in row["hints"].split()),
        frozenset(row["kinds"].split()),
    )


ROLES: tuple[Role, ...] = tuple(_role(row) for row in cast("list[dict[str, str]]", _WORDS["fields"]))
BY_NAME = {role.name: role for role in ROLES}
OLD_WORDS = frozenset(fold(word) for word in str(_WORDS["old_price"]).split())
# Of what is also a thing with a name, the name may be asked: "phone titles".
_THINGS = frozenset({"phone", "email", "image", "version"})
BY_WORDS = frozenset(fold(word) for word in str(_WORDS["by"]).split())
_COMPOUNDS = tuple(fold(word) for word in str(_WORDS["compounds"]).split())
MONTHS: tuple[str, ...] = tuple(str(_WORDS["months"]).split())
DAYS: tuple[str, ...] = tuple(str(_WORDS["days"]).split())


@lru_cache(maxsize=20_000)
def role_of(words: tuple[str, ...]) -> Role | None:
    """The most specific role that one of the folded words belongs to.

    Exact words win over inflected ones, and those over compounds such as `Jobtitel`.
    """
    found = next((role for role in ROLES if role.names(words)), None)
    if found is None:
        found = next(
            (role for role in ROLES if any(alike(word, known) for word in words for known in role.words)),
            None,
        )
    if found is None:
        found = next((role for word in words[::-1] if (role := _compound(word)) is not None), None)
    if found is not None and found.name in _THINGS and BY_NAME["title"].names(words):
        return BY_NAME["title"]
    if found is not None and found.name == "price" and any(word in OLD_WORDS for word in words):
        return BY_NAME["old_price"]
    return found


def _compound(word: str) -> Role | None:
    """The role of the word that a longer one ends with, as Germanic compounds do."""
    fits = [one for one in _COMPOUNDS if len(word) >= len(one) + COMPOUND_CHARS_MIN and word.endswith(one)]
    known = max(fits, key=len, default="")
    return next((role for role in ROLES if known in role.words), None)
