# Generated from _async by generate.py.
"""Walking through lists page by page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .._arguments import integer
from ..errors import ArgumentError

PAGE_SIZE = 100


def size_of(given: int | None, default: int = PAGE_SIZE) -> int:
    """The size of pages. Raises `ArgumentError` below 1."""
    size = default if given is None else integer(given, "page_size")
    if size < 1:
        raise ArgumentError(f"page_size must be at least 1, not {size}.")
    return size


def by_offset(fetch: Callable[[int, int], list[Any]], size: int) -> Iterator[Any]:
    """Items of a list with `limit` and `offset`, until a page is not full."""
    offset = 0
    while True:
        items = fetch(size, offset)
        for item in items:
            yield item
        if len(items) < size:
            return
        offset += len(items)


def by_number(fetch: Callable[[int], Any], size: int) -> Iterator[Any]:
    """Items of a list with numbered pages, whichever way the answer tells how many there are."""
    page = 1
    while True:
        answer = fetch(page)
        items = answer.get("items") or [] if isinstance(answer, Mapping) else answer
        for item in items:
            yield item
        if not items or page >= _last_page(answer, len(items), size, page):
            return
        page += 1


def by_cursor(fetch: Callable[[Any], Any]) -> Iterator[Any]:
    """Items of a list with a cursor, until there is no next one."""
    cursor = None
    while True:
        answer = fetch(cursor)
        for item in answer.get("items") or []:
            yield item
        following = answer.get("nextCursor")
        if not following or following == cursor:
            return
        cursor = following


def _last_page(answer: Any, count: int, size: int, page: int) -> int:
    """The number of the last page; one more than this if the answer leaves it open."""
    if isinstance(answer, Mapping):
        pagination = answer.get("pagination")
        if isinstance(pagination, Mapping):
            last = pagination.get("max_page")
            if last is not None:
                return int(last)
            return page + 1 if pagination.get("has_next_page") else page
        total = answer.get("totalCount")
        if total is not None:
            return -(-int(total) // (int(answer.get("pageSize") or 0) or size))
    return page + 1 if count >= size else page
