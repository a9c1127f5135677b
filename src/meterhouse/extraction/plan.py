"""What strategies say about requests: how an API is asked, where its records are, and how pages follow.

Texts of a request may hold placeholders: `{page.host}`, `{page.label.0}` (a part of the host name),
`{page.path.1}` (a folder of the page's address, counted from 0), `{page.number.1}` (the last number in that
folder), `{page.query.q}`, `{page.origin}`, `{page.url}`, and `{token.name}` for what `tokens` finds in the
page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, cast, get_args

from meterhouse.extraction.reader import DocumentReader, refused

Scalar = str | int | float | bool | None
Keys = tuple[str | int, ...]
Place = Literal["query", "body", "form"]
TokenSource = Literal["css", "text", "cookie"]
PagingKind = Literal["link", "button", "parameter", "cursor", "address"]

METHODS = ("GET", "POST")
PAGES_MAX = 100


@dataclass(frozen=True)
class Parameter:
    """A value of the request that a job may override. `origin` rebuilds it from the page, `value` is what was
    captured."""

    place: Place
    path: Keys
    value: Scalar = None
    origin: str | None = None

    def to_document(self) -> dict[str, object]:
        document: dict[str, object] = {"in": self.place, "path": list(self.path), "value": self.value}
        if self.origin is not None:
            document["from"] = self.origin
        return document

    @classmethod
    def from_document(cls, document: object, path: Keys) -> Parameter:
        reader = DocumentReader(document, path)
        reader.only("in", "path", "value", "from")
        value = reader.document.get("value")
        if not is_scalar(value):
            raise refused((*path, "value"), "a text, a number, true, false or null is needed")
        return cls(
            place=cast(Place, reader.choice("in", get_args(Place), "query")),
            path=reader.keys("path") or (path[-1],),
            value=cast(Scalar, value),
            origin=reader.text("from"),
        )


@dataclass(frozen=True)
class Token:
    """A value that each visit to the page brings anew: an attribute, what follows a text, or a cookie."""

    source: TokenSource
    selector: str
    attr: str | None = None

    def to_document(self) -> dict[str, object]:
        document: dict[str, object] = {"source": self.source, "selector": self.selector}
        if self.attr is not None:
            document["attr"] = self.attr
        return document

    @classmethod
    def from_document(cls, document: object, path: Keys) -> Token:
        reader = DocumentReader(document, path)
        reader.only("source", "selector", "attr")
        return cls(
            source=cast(TokenSource, reader.choice("source", get_args(TokenSource), "css")),
            selector=reader.text("selector") or "",
            attr=reader.text("attr"),
        )


@dataclass(frozen=True)
class ApiRequest:
    """A call of the page, ready to be made again. `items` leads to its records, one of them if `single`."""

    url: str
    page: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: object = None
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    tokens: Mapping[str, Token] = field(default_factory=dict)
    cookies: bool = False
    items: Keys = ()
    single: bool = False

    @property
    def needs_page(self) -> bool:
        """True when the page has to be fetched before the request can be made."""
        return self.cookies or bool(self.tokens)

    @property
    def overridable(self) -> dict[str, Scalar]:
        """The parameters that a job may set, with their captured values; tokens are none."""
        return {
            name: one.value
            for name, one in self.parameters.items()
            if one.origin is None or not one.origin.startswith("{token.")
        }

    def to_document(self) -> dict[str, object]:
        document: dict[str, object] = {"method": self.method, "url": self.url, "page": self.page}
        document["headers"] = dict(self.headers)
        if self.body is not None:
            document["body"] = self.body
        document["parameters"] = {name: one.to_document() for name, one in self.parameters.items()}
        if self.tokens:
            document["tokens"] = {name: one.to_document() for name, one in self.tokens.items()}
        if self.cookies:
            document["cookies"] = True
        document["items"] = list(self.items)
        if self.single:
            document["single"] = True
        return document

    @classmethod
    def from_document(cls, document: object) -> ApiRequest:
        at: Keys = ("api",)
        reader = DocumentReader(document, at)
        reader.only(
            "method",
            "url",
            "page",
            "headers",
            "body",
            "parameters",
            "tokens",
            "cookies",
            "items",
            "single",
        )
        url = reader.text("url") or ""
        if not url.startswith(("http://", "https://")):
            raise refused((*at, "url"), "an address that begins with http:// or https:// is needed")
        headers = DocumentReader(reader.value("headers", {}), (*at, "headers"))
        parameters = DocumentReader(reader.value("parameters", {}), (*at, "parameters")).document
        tokens = DocumentReader(reader.value("tokens", {}), (*at, "tokens")).document
        return cls(
            url=url,
            page=reader.text("page") or url,
            method=reader.choice("method", METHODS, "GET"),
            headers={name: headers.text(name) or "" for name in headers.document},
            body=reader.document.get("body"),
            parameters={
                name: Parameter.from_document(one, (*at, "parameters", name))
                for name, one in parameters.items()
            },
            tokens={name: Token.from_document(one, (*at, "tokens", name)) for name, one in tokens.items()},
            cookies=reader.flag("cookies"),
            items=reader.keys("items"),
            single=reader.flag("single"),
        )


@dataclass(frozen=True)
class Paging:
    """How the page after this one is reached, and how many pages a run follows.

    `link`: the link that `selector` finds in the page, or the address at `cursor` in an answer. `button`: a
    button of the drawn page makes the list grow, which is pressed as often. `address`:
    the number in the page's address counts up, as far as the page has links to it. `parameter`: that
    parameter of the request grows by `step`. `cursor`: it is the value at `cursor` in the answer before.
    """

    kind: PagingKind
    selector: str = ""
    parameter: str = ""
    step: int = 1
    cursor: Keys = ()
    max_pages: int = 1

    def to_document(self) -> dict[str, object]:
        document: dict[str, object] = {"kind": self.kind}
        if self.selector:
            document["selector"] = self.selector
        if self.parameter:
            document["parameter"] = self.parameter
        if self.kind == "parameter":
            document["step"] = self.step
        if self.cursor:
            document["cursor"] = list(self.cursor)
        document["max_pages"] = self.max_pages
        return document

    @classmethod
    def from_document(cls, document: object) -> Paging:
        reader = DocumentReader(document, ("paging",))
        reader.only("kind", "selector", "parameter", "step", "cursor", "max_pages")
        max_pages = reader.integer("max_pages", 1) or 0
        if not 1 <= max_pages <= PAGES_MAX:
            raise refused(("paging", "max_pages"), f"a whole number from 1 to {PAGES_MAX} is needed")
        return cls(
            kind=cast(PagingKind, reader.choice("kind", get_args(PagingKind), "link")),
            selector=reader.text("selector") or "",
            parameter=reader.text("parameter") or "",
            step=reader.integer("step", 1) or 1,
            cursor=reader.keys("cursor"),
            max_pages=max_pages,
        )


def is_scalar(value: object) -> bool:
    return value is None or isinstance(value, str | int | float | bool)
