"""Values that a page hands to its scripts, such as tokens against forged requests: found and read again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import unquote

from lxml.html import HtmlElement

from meterhouse.extraction.engine.document import decode, parse
from meterhouse.extraction.engine.selectors import quotable, select
from meterhouse.extraction.model import ExtractionFailed, Page
from meterhouse.extraction.plan import Token

TOKEN_CHARS_MIN = 8
LEAD_CHARS = (12, 24, 40, 80)
_TOKEN = re.compile(r"[\w+/=.:~%-]{8,4000}")
_TOKEN_RUN = re.compile(r"[\w+/=.:~%-]+")
_COOKIE = re.compile(r"(?:^|, ?)([\w!#$%&'*.^`|~+-]{1,120})=([^;,\s]{0,4000})")
_ATTRIBUTES = {"meta": "content", "input": "value"}


def looks_like_token(value: str) -> bool:
    """True for texts that nobody types: long, without blanks, letters and digits mixed."""
    return bool(
        _TOKEN.fullmatch(value)
        and any(char.isdigit() for char in value)
        and any(char.isalpha() for char in value)
    )


def find_token(value: str, page: Page, cookies: Mapping[str, str]) -> Token | None:
    """Where a value stands in the page as it was fetched: a cookie, an attribute, or after a fixed text."""
    for name, known in cookies.items():
        if value in (known, unquote(known)):
            return Token("cookie", name)
    text = decode(page.html)
    if value not in text:
        return None
    try:
        root = parse(page).root
    except ExtractionFailed:
        root = None
    if root is not None and (found := _attribute_of(value, root)) is not None:
        return found
    place = text.find(value)
    for length in LEAD_CHARS:
        lead = text[max(0, place - length) : place].rpartition("\n")[2]
        if len(lead) >= 3 and text.find(lead) == place - len(lead) and _run_after(text, lead) == value:
            return Token("text", lead)
    return None


def read_tokens(tokens: Mapping[str, Token], page: Page, cookies: Mapping[str, str]) -> dict[str, str]:
    """The tokens as the page has them now. Raises `ExtractionFailed` for one that it lacks."""
    found: dict[str, str] = {}
    text = decode(page.html)
    root = parse(page).root if any(one.source == "css" for one in tokens.values()) else None
    for name, one in tokens.items():
        value: str | None
        if one.source == "cookie":
            value = unquote(cookies[one.selector]) if one.selector in cookies else None
        elif one.source == "text":
            value = _run_after(text, one.selector)
        else:
            elements = select(one.selector, [root]) if root is not None else []
            value = next((v for e in elements if (v := e.get(one.attr or "content"))), None)
        if not value:
            raise ExtractionFailed(
                f"The page no longer holds the value {name!r} that the request needs.",
                reason="structure_changed",
                evidence={"token": name, "source": one.source},
            )
        found[name] = value
    return found


def cookies_of(headers: Mapping[str, str]) -> dict[str, str]:
    """The cookies that an answer sets; attributes such as `Path` and dates are no cookies."""
    text = headers.get("set-cookie", "")
    text = re.sub(r";[^,]*?(?:expires=[a-z]{3},[^;,]*)", ";", text, flags=re.IGNORECASE)
    return dict(_COOKIE.findall(text))


def _attribute_of(value: str, root: HtmlElement) -> Token | None:
    for element in root.iter():
        if not isinstance(element.tag, str):
            continue
        for attribute, known in element.attrib.items():
            if known == value and (selector := _selector_of(element, attribute, root, value)):
                return Token("css", selector, attribute)
    return None


def _selector_of(element: HtmlElement, attribute: str, root: HtmlElement, value: str) -> str | None:
    """A selector by the element's name or the attribute itself, if it is the first to lead to the value."""
    options = []
    for key in ("name", "property", "id"):
        named = element.get(key)
        if named and key != attribute and quotable(named):
            options.append(f'{element.tag}[{key}="{named}"]')
    if attribute != _ATTRIBUTES.get(element.tag) and re.fullmatch(r"[a-z][a-z0-9-]{0,60}", attribute):
        options.append(f"{element.tag}[{attribute}]")
    for selector in options:
        found = select(selector, [root])
        if found and found[0].get(attribute) == value:
            return selector
    return None


def _run_after(text: str, lead: str) -> str | None:
    place = text.find(lead)
    if place < 0:
        return None
    run = _TOKEN_RUN.match(text, place + len(lead))
    return run.group(0) if run else None
