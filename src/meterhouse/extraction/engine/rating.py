"""How well a column answers a wanted field: words near it, the form of its values, its make and place."""

from __future__ import annotations

import re
import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from urllib.parse import urlsplit

from lxml.html import HtmlElement

from meterhouse.extraction.engine.column import Column
from meterhouse.extraction.engine.document import text_of
from meterhouse.extraction.engine.kinds import find_kind, kinds_of
from meterhouse.extraction.engine.lexicon import (
    ABBREVIATION_CHARS_MAX,
    BY_NAME,
    BY_WORDS,
    OLD_WORDS,
    Role,
    abbreviates,
    alike,
    means,
    tokens_of,
)
from meterhouse.extraction.engine.request import Wanted
from meterhouse.extraction.engine.words import words_of

AT_WORDS = frozenset(words_of("at in on @ bei om kl à i na v w"))
EXAMPLE_GAIN = 3.0
LINK_SOURCES = frozenset({"href", "src", "data-src"})
_MARK = re.compile(r"(?:10|\d)[.,]\d{1,2}(?:\s*/\s*(?:5|10))?|\d\s*/\s*(?:5|10)")
_SEEN_ATTRS = frozenset({"datetime", "content", "data-price", "data-date"})
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_MEDIA = {
    **dict.fromkeys(("mp3", "m4a", "ogg", "wav", "flac", "aac"), ("audio", "sound", "episode", "download")),
    **dict.fromkeys(("mp4", "webm", "mov", "avi", "m3u8"), ("video", "film", "download")),
    **dict.fromkeys(("pdf", "doc", "docx", "odt", "rtf"), ("pdf", "document", "file", "download")),
    **dict.fromkeys(("zip", "gz", "tgz", "exe", "dmg", "torrent"), ("archive", "file", "download")),
    **dict.fromkeys(("ics",), ("calendar",)),
}
_DATA = frozenset({"jsonld", "microdata", "meta", "state"})
_ALWAYS = frozenset({"title", "price"})
_LONG = frozenset({"title", "description"})
_NUMBERS = frozenset({"code", "position"})
_PEOPLE = frozenset({"author", "illustrator", "director", "judge"})
_COUNTS = frozenset({"availability", "comments", "views", "votes", "stars", "forks", "rooms", "rating"})


def rate(wanted: Wanted, column: Column) -> float:
    """How well a column answers a field; about 1 is a plausible guess, above 2 a good answer."""
    if not column.present:
        return 0.0
    role = wanted.role
    words = lexical(wanted, column)
    form = _form(wanted, role, column)
    score = 1.3 * words + form + 0.5 * column.fill - 0.12 * column.derived
    score -= min(0.8, 0.15 * (column.breadth - 1))
    score += EXAMPLE_GAIN * _exampled(wanted, column)
    if links(column) and (role is None or role.name != "image"):
        score -= 2.0
    if column.field.attr is not None and column.field.attr not in LINK_SOURCES:
        score -= 0.1 if column.field.attr in _SEEN_ATTRS else 0.3
    if all(value.endswith((":", "：")) for value in column.present):
        score -= 0.6  # a label, and no value
    if len(column.values) > 3 and _nearly_all_same(column):
        score -= 0.7
    if words < 0.5 and _counts_records(column):
        score += 0.2 if role is not None and role.name in _NUMBERS else -0.6
    if role is not None and role.name not in _LONG and role.kinds & {"number", "money", "text"}:
        score -= 0.25 * (min(column.breadth, 2.0) - 1)
    score -= 0.05 * (column.field.regex is not None) + 0.5 * _of_the_last(wanted, column)
    if role is not None and role.name in _ALWAYS:
        score += 0.25 * column.fill
    if role is not None and role.name in _PEOPLE:
        score += (0.35 if words < 0.5 else 0.08) * column.kinds["person"] / len(column.present)
        score += 0.2 * len(set(column.present)) / len(column.present)
    if role is not None and role.name == "title":
        score += _title(column)
    elif role is not None and role.name == "description":
        score += _description(column)
    elif words < 0.3 and (role is None or not role.kinds - {"text", "long"}):
        score -= 0.7
    return score


def _of_the_last(wanted: Wanted, column: Column) -> bool:
    """True for what belongs to the last of something, such as its writer or date, when that is not asked."""
    if wanted.role is None or wanted.role.name not in {"author", "date", "time"}:
        return False
    if any(means(word, "last") for word in wanted.words):
        return False
    said = {token for label in column.said for token in tokens_of(label)}
    names = column.own | column.near | said
    return any(name.startswith(("last", "latest")) or means(name, "last") for name in names)


def _nearly_all_same(column: Column) -> bool:
    """True for what hardly any record differs in: the words of a label or button, rather than a value."""
    most = Counter(column.present).most_common(1)[0][1]
    return most == len(column.present) or (len(column.present) >= 10 and most > 0.9 * len(column.present))


def _counts_records(column: Column) -> bool:
    """True for numbers that only count the records, from one to the next."""
    numbers = [
        int(digits) if (digits := value.strip("#.) ")).isdecimal() else None for value in column.present
    ]
    if len(numbers) < 3 or None in numbers:
        return False
    steps = {b - a for a, b in pairwise(numbers) if a is not None and b is not None}
    return min(steps) > 0 and max(steps) - min(steps) <= 1  # of a sample, some may be left out


def _exampled(wanted: Wanted, column: Column) -> float:
    """The share of values that were known before."""
    if not wanted.examples:
        return 0.0
    return sum(1 for value in column.present if value in wanted.examples) / len(column.present)


def rate_link(wanted: Wanted, column: Column, title: Column | None) -> float:
    score = 0.6 + 0.4 * column.fill + 0.6 * lexical(wanted, column)
    score += EXAMPLE_GAIN * _exampled(wanted, column)
    score += 0.4 * len(set(column.present)) / max(1, len(column.present))
    if all("#" in value for value in column.present):
        score -= 0.6
    if title is not None:
        score += 1.2 * _same_anchor(title, column)
    texts = " ".join([*column.said, *(node.text or "" for node in column.nodes[:3] if node is not None)])
    plain = [word for word in wanted.words if wanted.role and word not in wanted.role.words]
    if any(alike(word, token) for word in plain for token in (*tokens_of(texts), *_target_words(column))):
        score += 1.5
    return score - 0.02 * column.place / 10


def _target_words(column: Column) -> set[str]:
    """What the addresses say of their targets: the ending of a file, and the medium that it stands for."""
    parts = [part for value in column.present[:3] for part in urlsplit(value)[2:4]]
    ends = {part.rpartition(".")[2].lower() for part in parts if "." in part}
    words = {word for end in ends for word in _MEDIA.get(end, ())}
    if all(value.startswith("mailto:") for value in column.present):
        words |= {"email", "mail"}
    return {end for end in ends if len(end) <= 5} | words


def _same_anchor(title: Column, link: Column) -> float:
    """The share of records in which the link holds the title, or the title holds the link."""
    hits = total = 0
    for text, anchor in zip(title.nodes, link.nodes, strict=True):
        if text is None or anchor is None:
            continue
        total += 1
        hits += text is anchor or anchor in text.iterancestors() or text in anchor.iterancestors()
    return hits / total if total else 0.0


def lexical(wanted: Wanted, column: Column) -> float:
    """How far the words of the request, or its role's, are found at the column: 1 for its visible label."""
    best = 0.0
    role = wanted.role
    said = [tokens_of(label) for label in column.said]
    for tokens in said:
        best = max(best, _overlap(wanted, tokens))
        if role is not None and role.names(tokens):
            best = max(best, 0.8 if len(tokens) <= 2 else 0.6)
        if column.headed:
            best = max(best, _abbreviated(wanted, tokens))
    best = max(best, 0.9 * _any(wanted, column.own), 0.4 * _any(wanted, column.near))
    best = max(best, 0.7 * _numbered(wanted, column), 0.75 * _covered(wanted, column))
    best = max(best, _by_unit(wanted, column))
    if column.field.selector.startswith("[itemprop=") and column.field.attr is None:
        best += 0.2 * (best >= 0.5 or bool(role and role.hints & column.own))
    if role is not None:
        best = max(best, 0.75 * bool(role.hints & column.own), 0.4 * bool(role.hints & column.near))
        if role.name in _COUNTS:
            best = max(best, 0.7 * _worded(wanted, column))
        if role.name == "author" and any(tokens and tokens[-1] in BY_WORDS for tokens in said):
            best = max(best, 0.8)
        if any(len(hint) >= 4 and hint in name for hint in role.hints for name in column.own):
            best = max(best, 0.6)
    return best


def said_by_label(wanted: Wanted, column: Column) -> float:
    """How far a visible label or header names the wanted field."""
    said = [tokens_of(label) for label in column.said]
    best = max((_overlap(wanted, tokens) for tokens in said), default=0.0)
    if wanted.role is not None and any(len(tokens) <= 2 and wanted.role.names(tokens) for tokens in said):
        best = max(best, 0.8)
    return best


def _overlap(wanted: Wanted, tokens: Sequence[str]) -> float:
    """1 when words and label are the same, less for what either has beyond the other."""
    words = wanted.words
    hits = [word for word in words if any(alike(word, token) for token in tokens)]
    if not hits:
        return 0.0
    if wanted.common.issuperset(hits) and len(wanted.common) < len(words):
        return 0.3  # "case" is in the case number and in the case name
    back = sum(1 for token in tokens if any(alike(word, token) for word in words))
    exact = sum(word in tokens for word in hits) / len(hits)
    return 0.46 + 0.25 * len(hits) / len(words) + 0.35 * back / len(tokens) + 0.08 * exact


def _abbreviated(wanted: Wanted, tokens: Sequence[str]) -> float:
    """How far a short column header may stand for the words, as `Pts` for points or `GP` for games played."""
    if len(tokens) != 1 or len(tokens[0]) > ABBREVIATION_CHARS_MAX:
        return 0.0
    short = tokens[0]
    if len(wanted.words) > 1 and short == "".join(word[0] for word in wanted.words):
        return 0.75
    said = [word for word in wanted.words if word not in wanted.common and abbreviates(short, word)]
    return max((0.5 + 0.35 * len(short) / len(word) for word in said), default=0.0)


def _by_unit(wanted: Wanted, column: Column) -> float:
    """How far the unit of counted values says what they are: "3 beds", or "3 bds" for beds."""
    if column.kinds["counted"] < 0.5 * len(column.present):
        return 0.0
    tokens = [token for value in column.present for token in tokens_of(value)]
    units = Counter(token for token in tokens if len(token) > 1 and not token.isdigit())
    if not units:
        return 0.0
    unit, count = units.most_common(1)[0]
    if count < 0.5 * len(column.present):
        return 0.0
    words = [word for word in wanted.words if word not in wanted.common] or wanted.words
    if any(alike(unit, word) for word in words):
        return 0.85
    if wanted.role is not None and wanted.role.names([unit]):
        return 0.75
    return max((0.5 + 0.35 * len(unit) / len(word) for word in words if abbreviates(unit, word)), default=0.0)


def _any(wanted: Wanted, names: Iterable[str]) -> float:
    role, names = wanted.role, list(names)
    hit = [word for word in wanted.words if any(alike(word, name) for name in names)]
    if not hit:
        return 0.0
    exact = [word for word in hit if role is None or word not in role.words]
    share = sum(1.0 if word in names else 0.8 for word in hit) / len(wanted.words)
    if len(wanted.common) < len(wanted.words) and wanted.common.issuperset(hit):
        return 0.4 * share
    if role is not None and len(hit) == len(exact) and not any(name in role.hints for name in names):
        return 0.4 * share
    return 0.5 + 0.5 * share + (0.15 if exact else 0.0)


def _covered(wanted: Wanted, column: Column) -> float:
    """The share of the field's words found in the element's names or around it, if several are."""
    around = column.own | column.near
    hits = sum(1 for word in wanted.words if any(alike(word, name) for name in around))
    return hits / len(wanted.words) if hits > 1 else 0.0


def _numbered(wanted: Wanted, column: Column) -> float:
    """The share of values such as "Episode 3" that say themselves what they are."""
    hits = 0
    for value in column.present:
        tokens = tokens_of(value) if len(value) < 30 and value[-1:].isdigit() else ()
        hits += 1 < len(tokens) <= 3 and any(alike(word, tokens[0]) for word in wanted.words)
    return hits / len(column.present)


def _worded(wanted: Wanted, column: Column) -> float:
    assert wanted.role is not None
    hits = sum(
        1
        for value in column.present
        if any(t in wanted.role.words or t in wanted.words for t in tokens_of(value[:60]))
    )
    return hits / len(column.present)


def _form(wanted: Wanted, role: Role | None, column: Column) -> float:
    present = len(column.present)

    def share(kind: str) -> float:
        return column.kinds[kind] / present

    if role is None:
        if wanted.counted:
            return max(share("number"), share("counted")) - 0.3
        return 0.2 - 0.5 * share("long") - 0.4 * share("url") - 0.2 * _glyphs(column)
    kinds = role.kinds
    if kinds == {"text"} or role.name == "title":
        odd = max(
            share("money"), share("date"), share("time"), share("number"), share("url"), share("duration")
        )
        plain = 0.25 * (1 - share("text")) * (role.name == "title")
        return 0.5 - 1.2 * odd - plain - 0.3 * share("long") * (role.name != "title")
    if role.name == "description":
        return 0.3 - 1.2 * max(share("money"), share("date"), share("number"), share("url"))
    best = max((share(kind) for kind in kinds), default=0.0)
    if wanted.dated:
        clocks = sum(1 for value in column.present if "date" in kinds_of(value) and find_kind("time", value))
        best = max(best, clocks / present)
    if role.name == "price" and share("money") < 0.5 and column.field.source not in _DATA:
        best -= 0.5
    if role.name == "old_price":  # few things have one, and it is struck out
        best += 0.4 * ("old" in column.own) - 0.4 * column.fill
    if role.name == "price":
        best -= _former(column)
    if role.name in {"date", "time"} and best > 0.7:
        best += 0.3
    if role.name == "price" and share("money") > 0.7:
        best += 0.3
    if role.name in {"rating", "code"}:
        best += (0.4 if role.name == "rating" else -0.6) * _scored(column)
    return best - 0.8 * (1 - best)


def _former(column: Column) -> float:
    """What speaks for a former price: a label that says so, or names, which present ones bear as well."""
    if any(token in OLD_WORDS for label in column.said for token in tokens_of(label)):
        return 0.4
    return 0.2 if column.own & BY_NAME["old_price"].hints else 0.0


def _scored(column: Column) -> float:
    """The share of values that look like marks: decimals up to ten, or so many of five or ten."""
    return sum(1 for value in column.present if _MARK.fullmatch(value)) / len(column.present)


def _glyphs(column: Column) -> float:
    """The share of values too short to say anything: a unit, a sign, an initial."""
    return sum(1 for value in column.present if len(value) < 2 and not value.isdigit()) / len(column.present)


def _title(column: Column) -> float:
    node = next((node for node in column.nodes if node is not None), None)
    if node is None:
        return 0.0
    lengths = [len(value) for value in column.present]
    middle = statistics.median(lengths)
    around = {node.tag, *(ancestor.tag for ancestor in list(node.iterancestors())[: column.depth + 1])}
    inside = {child.tag for child in node}
    score = 0.45 * bool(around & _HEADINGS) + 0.35 * ("a" in around or "a" in inside)
    score += 0.15 * bool(around & {"b", "strong", "th"})
    score += 0.3 * len(set(column.present)) / len(column.present)
    score -= min(0.7, 0.2 * max(0.0, column.breadth - 1))
    score += 0.2 if 8 <= middle <= 150 else -0.4 if middle > 250 or middle < 3 else 0.0
    if column.field.piece is not None or _part_of_link(node):
        score -= 0.25
    return score - min(0.3, column.place * 0.012) - (0.3 if column.field.attr else 0.0)


def _part_of_link(node: HtmlElement) -> bool:
    """True when the element is only a part of the words of a link or heading."""
    for ancestor in list(node.iterancestors())[:2]:
        if ancestor.tag == "a" or ancestor.tag in _HEADINGS:
            return len(text_of(ancestor)) > len(text_of(node)) + 1
    return False


def _description(column: Column) -> float:
    middle = statistics.median(len(value) for value in column.present)
    score = min(0.9, middle / 130) - (0.5 if middle < 25 else 0.0)
    return score - (0.25 if column.field.attr else 0.0)


def links(column: Column) -> bool:
    return column.field.attr in LINK_SOURCES
