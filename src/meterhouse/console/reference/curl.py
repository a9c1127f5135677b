"""A command line for an operation, ready to be pasted into a shell."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

# The page's script puts the server's own address here; without scripts it is the one of a local start.
DEFAULT_ORIGIN = "http://127.0.0.1:8000"
_KEY = '-H "Authorization: Bearer $METERHOUSE_API_KEY"'
_BREAK = " \\\n  "


def curl_line(
    method: str,
    path: str,
    *,
    path_values: Mapping[str, Any],
    query: Sequence[tuple[str, Any]] = (),
    body: Any = None,
    content_type: str | None = None,
    needs_key: bool = True,
) -> str:
    """Write the call. Every value is quoted for a POSIX shell; the key stays in an environment variable."""
    for name, value in path_values.items():
        path = path.replace(f"{{{name}}}", quote(_plain(value), safe=""))
    text = urlencode([(name, _plain(value)) for name, value in query])
    address = DEFAULT_ORIGIN + path + (f"?{text}" if text else "")
    parts = [
        f"curl {shlex.quote(address)}" if method == "GET" else f"curl -X {method} {shlex.quote(address)}"
    ]
    if needs_key:
        parts.append(_KEY)
    if content_type is not None:
        parts.append(f"-H {shlex.quote(f'Content-Type: {content_type}')}")
        parts.append(f"-d {shlex.quote(body if isinstance(body, str) else pretty(body))}")
    return _BREAK.join(parts)


def pretty(value: Any) -> str:
    """Write an example as indented JSON."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
