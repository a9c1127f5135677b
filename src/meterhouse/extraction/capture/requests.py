"""From a recorded call to a request that can be made again, and from that to bytes for one page."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import parse_qsl, urlencode, urlsplit

from meterhouse.extraction.capture.address import (
    PLACEHOLDER,
    PageAddress,
    fill,
    lacking,
    same_place,
    template_host,
    template_path,
)
from meterhouse.extraction.capture.tokens import TOKEN_CHARS_MIN, find_token, looks_like_token, read_tokens
from meterhouse.extraction.engine.records import MISSING, at
from meterhouse.extraction.model import ExtractionFailed, Page
from meterhouse.extraction.plan import METHODS, ApiRequest, Keys, Parameter, Place, Scalar, Token, is_scalar
from meterhouse.kernel.errors import Invalid, Issue
from meterhouse.platform.ports import RecordedRequest

PARAMETERS_MAX = 80
PARAMETER_CHARS_MAX = 300
BODY_DEPTH_MAX = 6
_INTEGER = re.compile(r"0|-?[1-9]\d{0,14}", re.ASCII)
_DECIMAL = re.compile(r"-?(?:0|[1-9]\d{0,14})\.\d{1,10}", re.ASCII)
_PLAIN_HEADERS = frozenset({"accept", "content-type", "x-requested-with"})
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Prepared:
    """A request as it goes out."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None = None


@dataclass(frozen=True)
class Visits:
    """A page as the browser drew it and as it was fetched plainly: two visits, each with its own tokens."""

    drawn: Page
    fetched: Page
    cookies: Mapping[str, str] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return self.drawn.url

    def token(self, value: str, browser_cookies: Mapping[str, str]) -> Token | None:
        """Where a value of the drawn page is found in the plainly fetched one."""
        ways = (
            find_token(value, self.drawn, browser_cookies),
            find_token(value, self.fetched, self.cookies),
        )
        return next((one for one in ways if one is not None and self._has(one)), None)

    def _has(self, token: Token) -> bool:
        try:
            return bool(read_tokens({"token": token}, self.fetched, self.cookies))
        except ExtractionFailed:
            return False


def template_of(call: RecordedRequest, visits: Visits) -> ApiRequest | None:
    """The call as a request for any page of its kind; `None` when it cannot be made again."""
    if call.method not in METHODS or PLACEHOLDER.search(f"{call.url}{call.body}{call.headers}"):
        return None
    cookies = dict(pair.strip().partition("=")[::2] for pair in call.headers.get("cookie", "").split(";"))
    writer = _Templater(visits, cookies)
    split = urlsplit(call.url)
    body = writer.read_body(call)
    if body is MISSING:
        return None
    writer.read_query(split.query)
    host, path = template_host(split.netloc, writer.address), template_path(split.path, writer.address)
    headers = {name: writer.header(name, value) for name, value in call.headers.items() if name != "cookie"}
    query = f"?{urlencode(writer.fixed)}" if writer.fixed else ""
    return ApiRequest(
        url=f"{split.scheme}://{host}{path}{query}",
        page=visits.address,
        method=call.method,
        headers={name: value for name, value in headers.items() if value is not None},
        body=body,
        parameters=dict(list(writer.parameters.items())[:PARAMETERS_MAX]),
        tokens=writer.tokens,
    )


class _Templater:
    """Collects the parameters and tokens of one call."""

    def __init__(self, visits: Visits, cookies: Mapping[str, str]) -> None:
        self.address = PageAddress(visits.address)
        self.parameters: dict[str, Parameter] = {}
        self.tokens: dict[str, Token] = {}
        self.fixed: list[tuple[str, str]] = []
        self._visits = visits
        self._cookies = cookies
        self._known: dict[str, str | None] = {}

    def read_query(self, query: str) -> None:
        pairs = parse_qsl(query, keep_blank_values=True)
        names = [name for name, _ in pairs]
        for name, value in pairs:
            if names.count(name) > 1:
                self.fixed.append((name, value))
            else:
                self._add("query", (name,), typed(value))

    def read_body(self, call: RecordedRequest) -> object:
        """The body with its values still in it; `MISSING` for a body that cannot be made again."""
        if not call.body:
            return None
        if _FORM in call.headers.get("content-type", ""):
            for name, value in parse_qsl(call.body, keep_blank_values=True):
                self._add("form", (name,), typed(value))
            return None
        try:
            body = json.loads(call.body)
        except (ValueError, RecursionError):
            return MISSING
        for path, scalar in _scalars(body, (), 0):
            self._add("body", path, scalar)
        return cast(object, body)

    def header(self, name: str, value: str) -> str | None:
        """A header as a template; `None` for one that only this visit had."""
        parts = self.address.parts
        if name in _PLAIN_HEADERS:
            return value
        if name == "origin":
            return "{page.origin}" if value == parts["origin"] else value
        if name == "referer":
            return "{page.url}" if value == parts["url"] else "{page.origin}/"
        scheme, _, bare = value.rpartition(" ")
        token = self._token(bare, name)
        return f"{scheme} {token}".strip() if token else value

    def _add(self, place: Place, path: Keys, value: Scalar) -> None:
        name = str(path[-1]) if len(path) == 1 else ".".join(str(step) for step in path)
        name = name if name not in self.parameters else f"{place}.{name}"
        text = value_text(value)
        origin = self.address.origin_of(text, str(path[-1])) or (
            self._token(text, str(path[-1])) if isinstance(value, str) else None
        )
        self.parameters[name] = Parameter(place, path, value, origin)

    def _token(self, value: str, name: str) -> str | None:
        if len(value) < TOKEN_CHARS_MIN or not looks_like_token(value):
            return None
        if value not in self._known:
            token = self._visits.token(value, self._cookies)
            key = re.sub(r"\W+", "_", name).strip("_") or "token"
            if token is not None:
                self.tokens[key] = token
            self._known[value] = f"{{token.{key}}}" if token is not None else None
        return self._known[value]


def _scalars(value: object, path: Keys, depth: int) -> Iterator[tuple[Keys, Scalar]]:
    """The values of a body that a job may want to set; long texts, such as queries, stay as they are."""
    if depth > BODY_DEPTH_MAX:
        return
    if isinstance(value, Mapping):
        for key, one in value.items():
            yield from _scalars(one, (*path, str(key)), depth + 1)
    elif isinstance(value, list):
        for place, one in enumerate(value[:20]):
            if isinstance(one, Mapping):
                yield from _scalars(one, (*path, place), depth + 1)
    elif path and is_scalar(value):
        scalar = cast(Scalar, value)
        if not isinstance(scalar, str) or (len(scalar) <= PARAMETER_CHARS_MAX and "\n" not in scalar):
            yield path, scalar


def typed(text: str) -> Scalar:
    """A value of a query as the type that it is written like, if it is written back the same."""
    if _INTEGER.fullmatch(text):
        return int(text)
    if _DECIMAL.fullmatch(text) and str(float(text)) == text:
        return float(text)
    return text == "true" if text in ("true", "false") else text


def value_text(value: Scalar) -> str:
    """A value as a query writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def check_parameters(request: ApiRequest, given: Mapping[str, object] | None) -> dict[str, Scalar]:
    """The overrides of a job. Raises `Invalid` for names that the request lacks and for values of no use."""
    known = request.overridable
    for name, value in (given or {}).items():
        if name not in known:
            names = ", ".join(known) or "none"
            message = f"The parameter {name!r} is not known; the strategy has {names}."
            raise Invalid(message, issues=(Issue(("parameters", name), "is not known"),))
        if not is_scalar(value):
            message = f"The parameter {name!r} must be a text, a number, true, false or null."
            raise Invalid(message, issues=(Issue(("parameters", name), "is no single value"),))
    return {name: cast(Scalar, value) for name, value in (given or {}).items()}


def is_api_address(request: ApiRequest, url: str) -> bool:
    """True when a job names the address of the API itself rather than that of a page."""
    if same_place(url, request.page):
        return False
    template, split = urlsplit(request.url), urlsplit(url)
    captured = fill(template.netloc, PageAddress(request.page), {}) or ""
    pattern = "".join(
        "[^/]+" if at % 3 == 1 else re.escape(part) if at % 3 == 0 else ""
        for at, part in enumerate(PLACEHOLDER.split(template.path))
    )
    return split.netloc == captured and re.fullmatch(pattern, split.path) is not None


def parameter_values(request: ApiRequest, url: str, tokens: dict[str, str]) -> dict[str, Scalar]:
    """The values that the request takes for this address when nothing is overridden."""
    direct = is_api_address(request, url)
    page = PageAddress(request.page if direct else url)
    values = {name: _value(one, page, tokens) for name, one in request.parameters.items()}
    if direct:
        named = _query_names(request)
        pairs = parse_qsl(urlsplit(url).query, keep_blank_values=True)
        values |= {named[name]: typed(value) for name, value in pairs if name in named}
    return values


def _query_names(request: ApiRequest) -> dict[str, str]:
    return {str(one.path[0]): name for name, one in request.parameters.items() if one.place == "query"}


def prepare(
    request: ApiRequest, url: str, *, tokens: dict[str, str], overrides: Mapping[str, Scalar]
) -> Prepared:
    """Write the request for one page, or for an address of the API. Raises `ExtractionFailed` when it cannot
    be rebuilt for this address."""
    direct = is_api_address(request, url)
    page = PageAddress(request.page if direct else url)
    values = {**parameter_values(request, url, tokens), **overrides}
    if direct:
        split, named = urlsplit(url), _query_names(request)
        pairs = parse_qsl(split.query, keep_blank_values=True)
        rest = [(name, value) for name, value in pairs if name not in named]
        address = split._replace(query=urlencode(rest), fragment="").geturl()
    else:
        address = _fill(request.url, page, tokens, request)
    headers = {
        name: filled
        for name, template in request.headers.items()
        if (filled := fill(template, page, tokens)) is not None
    }
    return Prepared(request.method, _with_query(address, request, values), headers, _body(request, values))


def _fill(template: str, page: PageAddress, tokens: dict[str, str], request: ApiRequest) -> str:
    filled = fill(template, page, tokens, quoted=True)
    if filled is None:
        wanted = lacking(template, page, tokens)
        raise ExtractionFailed(
            f"The request cannot be rebuilt for {page.url}: it needs {', '.join(wanted)} of an address like "
            f"{request.page}.",
            reason="structure_changed",
            evidence={"url": page.url, "needs": wanted},
        )
    return filled


def _value(one: Parameter, page: PageAddress, tokens: dict[str, str]) -> Scalar:
    """The value that the page's address or the page gives, in the type of the captured one."""
    filled = fill(one.origin, page, tokens) if one.origin is not None else None
    if filled is None:
        return one.value
    return typed(filled) if isinstance(one.value, int | float) else filled


def _with_query(url: str, request: ApiRequest, values: Mapping[str, Scalar]) -> str:
    pairs = [
        (str(one.path[0]), value_text(values[name]))
        for name, one in request.parameters.items()
        if one.place == "query" and values[name] is not None
    ]
    if not pairs:
        return url
    return f"{url}{'&' if urlsplit(url).query else '?'}{urlencode(pairs)}"


def _body(request: ApiRequest, values: Mapping[str, Scalar]) -> bytes | None:
    form = [
        (str(one.path[0]), value_text(values[name]))
        for name, one in request.parameters.items()
        if one.place == "form" and values[name] is not None
    ]
    if form:
        return urlencode(form).encode()
    if request.body is None:
        return None
    body = copy.deepcopy(request.body)
    for name, one in request.parameters.items():
        if one.place == "body":
            holder, key = at(body, one.path[:-1]), one.path[-1]
            if isinstance(holder, dict) or (
                isinstance(holder, list) and isinstance(key, int) and key < len(holder)
            ):
                holder[key] = values[name]  # type: ignore[index]
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
