"""The synchronous text of an asynchronous module."""

from __future__ import annotations

import re

# Longest first, so that no name is cut by a shorter one.
NAMES = {
    "AsyncMeterClient": "MeterClient",
    "AsyncMockTransport": "MockTransport",
    "AsyncBaseTransport": "BaseTransport",
    "AsyncTransport": "Transport",
    "AsyncIterator": "Iterator",
    "AsyncClient": "Client",
    "__aenter__": "__enter__",
    "__aexit__": "__exit__",
    "aiter_bytes": "iter_bytes",
    "aclose": "close",
    "_async": "_sync",
    "asynchronous": "synchronous",
    "from many tasks": "from many threads",
}
KEYWORDS = ((r"\basync (def|with|for)\b", r"\1"), (r"\bawait ", ""))
NOTICE = "# Generated from _async by generate.py.\n"


def synchronous(text: str) -> str:
    """The module with plain functions in place of coroutines."""
    for pattern, replacement in KEYWORDS:
        text = re.sub(pattern, replacement, text)
    for name, replacement in NAMES.items():
        text = re.sub(rf"(?<![\w]){re.escape(name)}(?![\w])", replacement, text)
    text = _without_awaitable(text)
    return NOTICE + text


def _without_awaitable(text: str) -> str:
    """`Awaitable[X]` as `X`, and its import gone."""
    text = re.sub(r"\bAwaitable, |, Awaitable\b(?!\[)", "", text)
    while True:
        start = text.find("Awaitable[")
        if start < 0:
            return text
        depth, end = 0, start + len("Awaitable[")
        while depth >= 0:
            depth += {"[": 1, "]": -1}.get(text[end], 0)
            end += 1
        text = text[:start] + text[start + len("Awaitable[") : end - 1] + text[end:]
