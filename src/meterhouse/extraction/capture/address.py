"""How a request follows from the address of its page, and how it is written again for another page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import parse_qsl, quote, unquote, urlsplit

PLACEHOLDER = re.compile(r"\{(page|token)\.([\w.-]{1,100})\}")
_NUMBER = re.compile(r"\d{3,}")
_SMALL = re.compile(r"\d")
_COMMON_LABELS = frozenset({"www", "m", "app", "web", "api"})
VALUE_CHARS_MIN = 2


@dataclass(frozen=True)
class PageAddress:
    """The parts of a page's address, by the names that placeholders use."""

    url: str

    @cached_property
    def parts(self) -> dict[str, str]:
        """Every part by name, the most telling first."""
        split = urlsplit(self.url)
        folders = [unquote(one) for one in split.path.split("/") if one]
        parts: dict[str, str] = {}
        for name, value in parse_qsl(split.query):
            if re.fullmatch(r"[\w.-]{1,80}", name):
                parts.setdefault(f"query.{name}", value)
        for at in reversed(range(len(folders))):
            parts[f"path.{at}"] = folders[at]
        for at in reversed(range(len(folders))):
            numbers = _NUMBER.findall(folders[at])
            if numbers and numbers[-1] != folders[at]:
                parts[f"number.{at}"] = numbers[-1]
        for at, label in enumerate((split.hostname or "").split(".")[:-2]):
            if label not in _COMMON_LABELS:
                parts[f"label.{at}"] = label
        parts["host"] = split.netloc
        parts["origin"] = f"{split.scheme}://{split.netloc}"
        parts["url"] = split._replace(fragment="").geturl()
        return parts

    def origin_of(self, value: str, name: str = "") -> str | None:
        """The placeholder for a value that comes from this address, or `None`. Short values prove little."""
        same_name = f"query.{name}"
        if name and self.parts.get(same_name) == value:
            return f"{{page.{same_name}}}"
        if len(value) < VALUE_CHARS_MIN or _SMALL.fullmatch(value):
            return None
        for part, known in self.parts.items():
            if known == value and part not in {"host", "origin", "url"}:
                return f"{{page.{part}}}"
        return None


def template_host(netloc: str, page: PageAddress) -> str:
    """The host of a request as a template: the page's own, or one that bears the page's first label."""
    if netloc == page.parts["host"]:
        return "{page.host}"
    label = page.parts.get("label.0")
    labels = netloc.split(".")
    if label is not None and len(label) > 2 and labels[0] == label:
        return ".".join(["{page.label.0}", *labels[1:]])
    return netloc


def template_path(path: str, page: PageAddress) -> str:
    """The path of a request with the folders that come from the page's address as placeholders."""
    return "/".join(page.origin_of(unquote(folder)) or folder for folder in path.split("/"))


def fill(template: str, page: PageAddress, tokens: dict[str, str], *, quoted: bool = False) -> str | None:
    """Write a template for a page; `None` when the page's address, or the page, lacks what it needs."""
    missing = False

    def value(match: re.Match[str]) -> str:
        nonlocal missing
        kind, name = match.group(1), match.group(2)
        found = (page.parts if kind == "page" else tokens).get(name)
        missing = missing or found is None
        whole = name in {"host", "origin", "url"} or name.startswith("label.")
        return quote(found or "", safe="") if quoted and not whole else found or ""

    text = PLACEHOLDER.sub(value, template)
    return None if missing else text


def lacking(template: str, page: PageAddress, tokens: dict[str, str]) -> list[str]:
    """The names of the parts that a template needs and that are not there."""
    return [
        f"{kind}.{name}"
        for kind, name in PLACEHOLDER.findall(template)
        if name not in (page.parts if kind == "page" else tokens)
    ]


def same_place(one: str, other: str) -> bool:
    """True for addresses that differ in query and fragment at most."""
    a, b = urlsplit(one), urlsplit(other)
    return (a.netloc, a.path.rstrip("/")) == (b.netloc, b.path.rstrip("/"))
