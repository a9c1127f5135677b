"""Regular expressions that users write: checked once, bounded in length and in time whenever they run."""

from __future__ import annotations

from functools import lru_cache
from typing import cast

import regex

from meterhouse.kernel.errors import Invalid, Issue, LimitExceeded

PATTERN_CHARS_MAX = 2_000
TEXT_CHARS_MAX = 100_000
SEARCH_TIMEOUT_S = 0.25
# Texts on which badly nested repetitions take exponential time.
_PROBES = ("a" * 40 + "!", "0" * 40 + "!", "a " * 30 + "!", "x" * 40, "ab" * 30 + "!", "." * 40 + "!")


@lru_cache(maxsize=4_000)
def compiled(pattern: str, case_sensitive: bool = False) -> regex.Pattern[str]:
    """The compiled pattern; raises `Invalid` when it is too long or not a regular expression."""
    if len(pattern) > PATTERN_CHARS_MAX:
        raise _refused(pattern, f"it is longer than {PATTERN_CHARS_MAX} characters")
    try:
        return regex.compile(pattern, 0 if case_sensitive else regex.IGNORECASE)
    except (regex.error, RecursionError, OverflowError) as fault:
        raise _refused(pattern, str(fault)) from fault


def check(pattern: str) -> None:
    """Refuse a pattern that is invalid, or that runs out of time on a short text."""
    expression = compiled(pattern)
    for probe in _PROBES:
        try:
            expression.search(probe, timeout=SEARCH_TIMEOUT_S)
        except TimeoutError as fault:
            raise _refused(
                pattern, "it takes too long on short texts; simplify nested repetitions"
            ) from fault


def search(pattern: str, text: str, case_sensitive: bool = False) -> str | None:
    """The first group of the first match, or the whole match; raises `LimitExceeded` when time runs out."""
    try:
        match = compiled(pattern, case_sensitive).search(text[:TEXT_CHARS_MAX], timeout=SEARCH_TIMEOUT_S)
    except TimeoutError as fault:
        raise LimitExceeded(
            f"The regular expression {pattern[:80]!r} ran out of time; simplify nested repetitions."
        ) from fault
    if match is None:
        return None
    return cast(str, match.group(1) if match.re.groups else match.group(0)) or ""


def _refused(pattern: str, why: str) -> Invalid:
    return Invalid(
        f"The regular expression {pattern[:80]!r} cannot be used: {why}.", issues=(Issue(("regex",), why),)
    )
