"""CSS selectors: evaluated relative to a record, and written from names that are likely to last."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import cast

from cssselect import HTMLTranslator, SelectorError
from lxml import etree
from lxml.html import HtmlElement

from meterhouse.kernel.errors import Invalid, Issue

SELECTOR_CHARS_MAX = 1_000
_SCOPE = ":scope"
_NAME = re.compile(r"-?[A-Za-z_][\w-]{0,60}", re.A)
_VALUE = re.compile(r"[\w ./:#?=&%+-]{1,80}")
_PARTS = re.compile(r"[-_]+")
_RUNS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|\d+")
HASH_CHARS_MIN = 4
HASH_RUN_MEAN_MAX = 2.2
_ANY_DIGITS = re.compile(r"\d{3,}")


@lru_cache(maxsize=4_000)
def compiled(selector: str) -> Callable[[HtmlElement], list[HtmlElement]]:
    """The selector as a function of a root; the root itself may match, `:scope >` starts at its children."""
    if len(selector) > SELECTOR_CHARS_MAX:
        raise _refused(selector, "it is too long")
    translator = HTMLTranslator()
    try:
        if selector.startswith(_SCOPE) and selector[len(_SCOPE) :].lstrip().startswith(">"):
            rest = selector[len(_SCOPE) :].lstrip()[1:].strip()
            expression = translator.css_to_xpath(rest, prefix="./")
        else:
            expression = translator.css_to_xpath(selector)
        return cast("Callable[[HtmlElement], list[HtmlElement]]", etree.XPath(expression))
    except (SelectorError, etree.XPathError) as fault:
        raise _refused(selector, str(fault)) from fault


def select(selector: str, roots: Sequence[HtmlElement]) -> list[HtmlElement]:
    """All matches below (or at) the roots, in document order. An empty selector means the first root."""
    if selector in {"", _SCOPE}:
        return list(roots[:1])
    find = compiled(selector)
    if len(roots) == 1:
        return find(roots[0])
    return [match for root in roots for match in find(root)]


def stable(name: str) -> bool:
    """True for a class or id that a person probably chose and will keep."""
    return bool(_NAME.fullmatch(name)) and not hashed(name) and not _ANY_DIGITS.search(name)


@lru_cache(maxsize=50_000)
def hashed(name: str) -> bool:
    """True for names with a part such as "a8Xk2q" or "eWgMZ", which a build tool made and will make anew.

    Words and camelCase have runs of letters of some length; such parts change between capitals, small
    letters and digits all the time.
    """
    return any(_scrambled(part) for part in _PARTS.split(name))


def _scrambled(part: str) -> bool:
    runs = _RUNS.findall(part)
    if len(part) < HASH_CHARS_MIN or len(runs) < 3:
        return False
    if sum(run.isdigit() for run in runs) > 1:
        return True
    return len(part) > HASH_CHARS_MIN and len(part) / len(runs) <= HASH_RUN_MEAN_MAX


def quotable(value: str) -> bool:
    """True for an attribute value that may stand inside a quoted selector part as it is."""
    return bool(_VALUE.fullmatch(value))


def _refused(selector: str, why: str) -> Invalid:
    return Invalid(
        f"The selector {selector[:80]!r} cannot be used: {why}.", issues=(Issue(("selector",), why),)
    )
