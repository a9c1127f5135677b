"""Reads pages the way a browser does, as far as the tests need it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from html.parser import HTMLParser


@dataclass(frozen=True)
class Element:
    tag: str
    attributes: dict[str, str]


@dataclass
class Page:
    elements: list[Element] = field(default_factory=list)
    text: str = ""
    script_text: str = ""

    def all(self, tag: str) -> list[Element]:
        return [element for element in self.elements if element.tag == tag]

    def values(self, attribute: str) -> list[str]:
        return [element.attributes[attribute] for element in self.elements if attribute in element.attributes]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page = Page()
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag
        self.page.elements.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside in ("script", "style"):
            self.page.script_text += data.strip()
        else:
            self.page.text += data


@lru_cache(maxsize=32)  # the reference is large and the same in every test
def parse(html: str) -> Page:
    """Read a page; callers share what they get and leave it as it is."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.page
