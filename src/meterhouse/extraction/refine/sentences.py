"""Reading feedback: plain sentences about fields and lists become changes, or a refusal that says why."""

from __future__ import annotations

import re
from collections.abc import Iterator

from meterhouse.extraction.refine.changes import (
    Add,
    Change,
    Clean,
    Drop,
    KeepOnly,
    OtherList,
    Pages,
    Rename,
    Retype,
    refused,
)

FEEDBACK_CHARS_MAX = 4_000
CLAUSES_MAX = 40
PAGES_ALL = 100
NAME_CHARS_MAX = 60

_TYPES = {
    **dict.fromkeys(("number", "numeric", "float", "decimal"), "number"),
    **dict.fromkeys(("integer", "int", "whole number"), "integer"),
    **dict.fromkeys(("boolean", "bool", "true/false", "yes/no"), "boolean"),
    **dict.fromkeys(("text", "string"), "string"),
    **dict.fromkeys(("list", "array"), "array"),
}
_PARTS = {
    **dict.fromkeys(("number", "numbers", "digits", "amount", "figure", "numeric value"), "number"),
    "date": "date",
    "time": "time",
}


def _one_of(words: dict[str, str]) -> str:
    return "(" + "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True)) + ")"


_A = "(?:an? )?"
_THE = "(?:the )?"
_TYPE = f"{_A}{_one_of(_TYPES)}s?(?: values?)?"
_PART = _one_of(_PARTS)
_THINGS = "(?:list|table|section|block|group|items|records|rows)"
_TAKE = "(?:use|choose|pick|take|try|switch to|extract|read|want|find)"
_KEEP = "(?:keep|use|take|extract|return)"
_SHOULD = "(?:should|must|shall)"
_OFF = "(?:remove|drop|cut|strip|delete|take|clean|trim)"
_LEAVE = (
    "(?:remove|drop|delete|omit|exclude|leave out|get rid of|skip|hide|without|no|(?:i )?(?:do not|don'?t) "
)
_VERBS = (
    "add|include|also|extract|remove|drop|delete|omit|exclude|leave out|get rid of|skip|hide|rename|call|make"
    "|turn|convert|change|treat|parse|clean|strip|trim|cut|keep|use|choose|pick|take|switch|follow|read|only"
    "|do not|don't"
)


def _phrase(*texts: str) -> list[re.Pattern[str]]:
    """Patterns in which a blank stands for any white space."""
    return [re.compile(text.replace(" ", r"\s+"), re.IGNORECASE) for text in texts]


_QUOTED = re.compile("[\"'“”‘’«»]([^\"'“”‘’«»]{1,80})[\"'“”‘’«»]")
_SPLIT = _phrase(
    r"[.;!\n]+(?: |$)|\s*,?\s*\b(?:and|then|but) (?=(?:" + _VERBS + r")\b)|\s*,\s*(?=(?:" + _VERBS + r")\b)"
)[0]
_START = _phrase(
    r"^(?:(?:also|then|and|but|please|just|can you|could you|don'?t forget(?: to)?"
    r"|i (?:also )?(?:want|need|would like)(?: you)?(?: to)?) )*"
)[0]
_WANTED = _phrase("^(?:and )?i (?:also )?(?:want|need|would like) ")[0]
_ARTICLE = _phrase("^(?:the|a|an|its|their|this|that|my|all|field|column) ")[0]
_NOUN = _phrase("(?: (?:fields?|columns?|values?|too|as well|please|again))$")[0]
_LISTING = re.compile(r"\s*(?:,|\band\b|&)\s*", re.IGNORECASE)
_UNITS = _phrase(
    r"(?:(?:currenc\w*|dollar|euro|pound|money|percent) )?(?:signs?|symbols?|units?|codes?)", r"currenc\w*"
)
_COUNTED_PAGES = _phrase(
    r"(?:follow|read|get|take|go|use|scrape|fetch|collect|include)\b.*?\b(\d{1,3}) pages\b.*"
)[0]
_ALL_PAGES = _phrase(
    r"(?:follow|read|get|fetch|include|go through) (?:all|every|the next|further|more)\b.*\bpages?\b.*"
)[0]
_OTHER_LIST = _phrase(
    f"{_TAKE} (?:the |an? )?(?:other|another|different|second|next|right|main) {_THINGS}(.*)",
    f"(?:this|that|it)(?:'s| is| was)? (?:is )?the wrong {_THINGS}(.*)",
    f"{_THE}wrong {_THINGS}(.*)",
    "not the (?:menu|navigation|side ?bar|footer|header|links)(.*)",
    f"(?:{_TAKE} )?{_THE}{_THINGS} of (.*?) instead(.*)",
)
_RENAME = _phrase(
    "rename (.+?) (?:to|into|as|=>|->) (.+)",
    "(?:call|name) (.+?) (?:as )?([\"'“‘«].+)",
    r"call (.+?) (\w+)(?: instead)?",
    f"(.+?) {_SHOULD} be (?:called|named|renamed to) (.+)",
    "change the name of (.+?) to (.+)",
)
_ONLY_PART = _phrase(
    f"(?:{_KEEP} )?(?:only|just) the {_PART} (?:of|in|from) (.+)",
    f"{_KEEP} (?:only )?the {_PART} (?:of|in|from) (.+)",
)
_SHOULD_ONLY = _phrase(f"(.+?) {_SHOULD} (?:only|just) (?:be|contain|have|hold) (?:the |a )?{_PART}")[0]
_BESIDE = _phrase(
    f"(?:{_KEEP} )?(?:only )?(?:what(?:'s| is)|everything|the (?:part|text)) (before|after) (.+?)"
    " (?:in|of|from) (.+)"
)[0]
_BEYOND = _phrase(f"{_OFF} (?:off )?everything (before|after) (.+?) (?:in|of|from) (.+)")[0]
_TAKE_OFF = _phrase(f"{_OFF} (?:off |out )?(.+?) (?:from|off|in|of) (.+)")[0]
_WITHOUT = _phrase("(.+?) without (.+)")[0]
_RETYPE = _phrase(
    f"(?:make|turn|convert|change|treat|parse|read|return|give|show|format) (.+?)"
    f" (?:(?:in)?to |as |be )?{_TYPE}",
    f"(.+?) {_SHOULD} be {_TYPE}",
    f"(.+?) (?:is|are) {_TYPE}",
    f"(.+?) as {_A}{_one_of(_TYPES)}",
)
_KEEP_ONLY = _phrase(
    "(?:only (?:(?:keep|want|need|extract|use) )?|keep (?:only|just) |just (?:keep|want) )(.+)"
)[0]
_DROP = _phrase(
    f"{_LEAVE}(?:need|want|include|extract)) (.+)",
    "(.+?) (?:is|are) (?:not needed|unneeded|useless|superfluous|not wanted)",
)
_ADD = _phrase(
    f"(?:add|include|extract|get|also|want|need|with|missing:?) (?:also )?{_THE}(.+)",
    "(.+?) (?:is|are) missing",
)
_ADD_TYPED = _phrase(f"(.+?) as {_TYPE}")[0]


def read_feedback(feedback: str) -> list[Change]:
    """The changes that the sentences ask for, in order. Raises `Invalid` for one that is not understood."""
    text = " ".join(feedback[:FEEDBACK_CHARS_MAX].replace("\n", ". ").split())
    clauses = [part.strip(" ,") for part in _SPLIT.split(text) if part and part.strip(" ,")]
    if not clauses:
        raise not_understood("")
    return [change for clause in clauses[:CLAUSES_MAX] for change in _read(clause)]


def _read(clause: str) -> Iterator[Change]:
    bare = _START.sub("", clause).strip()
    for reader in (_pages, _other_list, _rename, _clean, _retype, _keep_only, _drop, _add):
        found = list(reader(bare))
        if found:
            yield from found
            return
    if _WANTED.match(clause) and bare:
        yield Add(_field(bare))
        return
    raise not_understood(clause)


def not_understood(clause: str) -> Exception:
    shown = clause if len(clause) <= 120 else f"{clause[:119]}…"
    return refused(
        f"The feedback {shown!r} is not understood. Say which fields to add, drop, rename (rename X to Y), "
        "re-type (X as a number), clean (only the number of X; remove 'by' from X), or to use another list."
    )


def _first(patterns: list[re.Pattern[str]], clause: str) -> tuple[str, ...] | None:
    """The groups of the first pattern that the whole clause fits."""
    for pattern in patterns:
        match = pattern.fullmatch(clause)
        if match:
            return tuple(group or "" for group in match.groups())
    return None


def _pages(clause: str) -> Iterator[Change]:
    counted = _COUNTED_PAGES.fullmatch(clause)
    if counted:
        yield Pages(max(1, min(PAGES_ALL, int(counted.group(1)))))
    elif _ALL_PAGES.fullmatch(clause):
        yield Pages(PAGES_ALL)


def _other_list(clause: str) -> Iterator[Change]:
    groups = _first(_OTHER_LIST, clause)
    if groups is not None:
        rest = " ".join(part.strip(" ,:") for part in groups if part.strip(" ,:"))
        rest = re.sub(r"^(?:of|with|that (?:has|have)|instead,?)\s+", "", rest)
        yield OtherList(rest.removesuffix("instead").strip(" ,"))


def _rename(clause: str) -> Iterator[Change]:
    groups = _first(_RENAME, clause)
    if groups is not None:
        yield Rename(_field(groups[0]), _name(groups[1]))


def _clean(clause: str) -> Iterator[Change]:
    if (part := _first(_ONLY_PART, clause)) is not None:
        yield Clean(_field(part[1]), _PARTS[part[0].lower()])
    elif (part := _first([_SHOULD_ONLY], clause)) is not None:
        yield Clean(_field(part[0]), _PARTS[part[1].lower()])
    elif (part := _first([_BEYOND], clause)) is not None:
        kept = "after" if part[0].lower() == "before" else "before"
        yield Clean(_field(part[2]), kept, _bare(part[1]))
    elif (part := _first([_BESIDE], clause)) is not None:
        yield Clean(_field(part[2]), part[0].lower(), _bare(part[1]))
    elif (part := _first([_TAKE_OFF], clause)) is not None:
        yield _without(part[1], part[0])
    elif (part := _first([_WITHOUT], clause)) is not None:
        yield _without(part[0], part[1])


def _without(field: str, what: str) -> Change:
    bare = re.sub(r"^(?:the|a|any)\s+", "", what.strip(), flags=re.IGNORECASE)
    if any(unit.fullmatch(bare) for unit in _UNITS):
        return Clean(_field(field), "number")
    bare = re.sub(r"^(?:word|text|prefix|suffix|label)\s+", "", bare, flags=re.IGNORECASE)
    return Clean(_field(field), "without", _bare(bare))


def _retype(clause: str) -> Iterator[Change]:
    groups = _first(_RETYPE, clause)
    if groups is not None and not _ADD[0].fullmatch(clause):
        for field in _fields(groups[0]):
            yield Retype(field, _TYPES[groups[1].lower()])


def _keep_only(clause: str) -> Iterator[Change]:
    groups = _first([_KEEP_ONLY], clause)
    if groups is not None:
        yield KeepOnly(tuple(_fields(groups[0])))


def _drop(clause: str) -> Iterator[Change]:
    groups = _first(_DROP, clause)
    if groups is not None:
        yield from (Drop(field) for field in _fields(groups[0]))


def _add(clause: str) -> Iterator[Change]:
    groups = _first(_ADD, clause)
    if groups is None:
        return
    typed = _ADD_TYPED.fullmatch(groups[0])
    if typed:
        yield Add(_field(typed.group(1)), _TYPES[typed.group(2).lower()])
    else:
        yield Add(_field(groups[0]))


def _fields(text: str) -> list[str]:
    return [_field(part) for part in _LISTING.split(text) if part.strip()]


def _field(text: str) -> str:
    text = _bare(text)
    for _ in range(3):
        text = _NOUN.sub("", _ARTICLE.sub("", text.strip()))
    return text.strip(" \"'")


def _bare(text: str) -> str:
    match = _QUOTED.search(text)
    return match.group(1) if match else text.strip()


def _name(text: str) -> str:
    name = re.sub(r"\W+", "_", _bare(text).strip().removesuffix(" instead")).strip("_")
    if not name or len(name) > NAME_CHARS_MAX:
        raise refused(f"{text[:80]!r} is no name for a field; use letters, digits and underscores.")
    return name
