"""How an API is asked for its next page: what two of its calls differ in, what answers and names say."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from meterhouse.extraction.capture.requests import typed
from meterhouse.extraction.engine.document import absolute
from meterhouse.extraction.engine.records import MISSING, at
from meterhouse.extraction.engine.words import words_of
from meterhouse.extraction.plan import ApiRequest, Keys, Paging, Parameter, Scalar, is_scalar

DEPTH_MAX = 5
_PAGES = frozenset(words_of("page p pg pagenum pageno pagenumber pageindex currentpage pageid"))
_OFFSETS = frozenset(words_of("offset start skip from startindex startat firstresult"))
_SIZES = frozenset(
    words_of("limit size pagesize perpage rows count hitsperpage take itemsperpage first num max")
)
_CURSORS = frozenset(
    words_of("cursor after pagetoken continuation continuationtoken nextcursor scrollid token")
)
_NEXT = re.compile(r"^(?:next|nextpage|nexturl|nextlink|nextpageurl|nexthref)$")
_NEXT_VALUE = re.compile(
    r"^(?:next\w*(?:cursor|token|offset|start|after|id)|endcursor|cursor|continuation\w*)$"
)
_MORE = frozenset(words_of("hasnextpage hasnext hasmore more islast islastpage"))


@dataclass(frozen=True)
class Found:
    """A way to the next page. A guess has to be tried before it is believed."""

    paging: Paging
    request: ApiRequest
    is_guess: bool = False


def detect(
    request: ApiRequest, answer: object, records: int, others: Sequence[ApiRequest] = ()
) -> Found | None:
    """The way to the next page, or `None`. `others` are further calls of the page to the same place."""
    found = _from_calls(request, answer, others)
    if found is not None:
        return found
    for keys, value in _outside(answer):
        if _NEXT.match(_bare(keys[-1])) and isinstance(value, str) and value.startswith(("http", "/", "?")):
            return Found(Paging("link", cursor=keys), request)
    return _by_cursor(request, answer) or _by_name(request, records)


def following(
    paging: Paging, request: ApiRequest, answer: object, sent: Mapping[str, Scalar], address: str
) -> tuple[dict[str, Scalar], str | None] | None:
    """What the next request changes: values, or its whole address; `None` at the end.

    `sent` are the values of the request that was just answered, `address` where it went.
    """
    if _said_last(answer):
        return None
    if paging.kind == "link":
        value = at(answer, paging.cursor)
        target = absolute(value, address) if isinstance(value, str) and value else None
        same = target is not None and urlsplit(target).netloc == urlsplit(address).netloc
        return ({}, target) if same else None
    if paging.kind == "cursor":
        value = at(answer, paging.cursor)
        if value is MISSING or value in (None, "", False) or not is_scalar(value):
            return None
        return {paging.parameter: value}, None  # type: ignore[dict-item]
    current = sent.get(paging.parameter)
    if isinstance(current, str):
        current = typed(current)
    if current is None:  # left out on the first page: pages are counted from 1, records from 0
        current = 1 if paging.step == 1 else 0
    if isinstance(current, bool) or not isinstance(current, int | float):
        return None
    return {paging.parameter: current + paging.step}, None


def _from_calls(request: ApiRequest, answer: object, others: Sequence[ApiRequest]) -> Found | None:
    """Two calls that differ in one value: a number that grew, or a value that the first answer gave.

    A value that only the later call has is added to the request, to be left out on the first page.
    """
    values = {name: one.value for name, one in request.parameters.items()}
    for other in others:
        if (other.url, other.method) != (request.url, request.method):
            continue
        theirs = {name: one.value for name, one in other.parameters.items()}
        names = [name for name in {**values, **theirs} if values.get(name) != theirs.get(name)]
        for name in names:
            old, new = values.get(name), theirs.get(name)
            added = {} if name in request.parameters else {name: replace(other.parameters[name], value=None)}
            whole = replace(request, parameters={**request.parameters, **added})
            given = next((keys for keys, value in _outside(answer) if _same(value, new)), None)
            if given is not None:
                return Found(Paging("cursor", parameter=name, cursor=given), whole)
            if len(names) == 1 and (step := _step(old, new)):
                return Found(Paging("parameter", parameter=name, step=step), whole)
    return None


def _step(old: Scalar, new: Scalar) -> int:
    if isinstance(old, bool) or isinstance(new, bool) or not isinstance(new, int):
        return 0
    if old is None:
        return 1 if new == 2 else max(0, new)
    return max(0, new - old) if isinstance(old, int) else 0


def _by_cursor(request: ApiRequest, answer: object) -> Found | None:
    for keys, value in _outside(answer):
        if not _NEXT_VALUE.match(_bare(keys[-1])) or value in (None, "", False) or not is_scalar(value):
            continue
        for name in request.parameters:
            if _bare(name.rpartition(".")[2]) in _CURSORS:
                return Found(Paging("cursor", parameter=name, cursor=keys), request)
        if request.method != "GET":
            continue
        name = _guessed_name(str(keys[-1]))
        extended = {**request.parameters, name: Parameter("query", (name,), None)}
        return Found(
            Paging("cursor", parameter=name, cursor=keys), replace(request, parameters=extended), True
        )
    return None


def _by_name(request: ApiRequest, records: int) -> Found | None:
    """A parameter whose name says that it counts pages, or records."""
    for name, one in request.parameters.items():
        bare = _bare(name.rpartition(".")[2])
        if isinstance(one.value, bool) or not isinstance(one.value, int):
            continue
        if bare in _PAGES:
            return Found(Paging("parameter", parameter=name, step=1), request)
        if bare in _OFFSETS and one.value % max(1, records) == 0:
            return Found(Paging("parameter", parameter=name, step=_size(request) or records), request)
    return None


def _size(request: ApiRequest) -> int | None:
    for name, one in request.parameters.items():
        if _bare(name.rpartition(".")[2]) in _SIZES and isinstance(one.value, int) and one.value > 0:
            return one.value
    return None


def _guessed_name(key: str) -> str:
    """The parameter that such a value goes into, by the usual habits."""
    if _bare(key) == "endcursor":
        return "after"
    shorter = re.sub(r"^next[_-]?", "", key)
    return shorter[:1].lower() + shorter[1:] if shorter else key


def _said_last(answer: object) -> bool:
    for keys, value in _outside(answer):
        bare = _bare(keys[-1])
        if bare in _MORE and isinstance(value, bool) and value == bare.startswith("islast"):
            return True
    return False


def _outside(value: object, keys: Keys = (), depth: int = 0) -> Iterator[tuple[Keys, object]]:
    """Values of an answer that do not lie inside a list."""
    if depth > DEPTH_MAX or not isinstance(value, Mapping):
        return
    for key, one in list(value.items())[:200]:
        if isinstance(one, Mapping):
            yield from _outside(one, (*keys, str(key)), depth + 1)
        elif is_scalar(one):
            yield (*keys, str(key)), one


def _same(value: object, other: object) -> bool:
    telling = isinstance(other, str) and len(other) > 2
    return telling and value == other


def _bare(key: object) -> str:
    return re.sub(r"[^a-z]", "", str(key).lower())
