"""What browsers of other sites may read: a portal's questions, from pages anywhere (openmeter 9.1)."""

from __future__ import annotations

from starlette.types import Scope

OPEN_TO_PAGES = "/api/v1/portal/meters/"
PREFLIGHT_S = b"600"


def admit(scope: Scope) -> list[tuple[bytes, bytes]]:
    """Return the headers that let a page of any origin read the answer; none elsewhere."""
    if not scope["path"].startswith(OPEN_TO_PAGES):
        return []
    given = dict(scope["headers"])
    headers = [
        (b"vary", b"origin"),
        # An origin is named rather than `*`, which browsers refuse together with credentials.
        (b"access-control-allow-origin", given.get(b"origin", b"*")),
        (b"access-control-allow-credentials", b"true"),
        (b"access-control-expose-headers", b"content-disposition, x-request-id"),
    ]
    if scope["method"] != "OPTIONS":
        return headers
    wanted = given.get(b"access-control-request-headers", b"authorization, accept, content-type")
    return [
        *headers,
        (b"access-control-allow-methods", b"GET, OPTIONS"),
        (b"access-control-allow-headers", wanted),
        (b"access-control-max-age", PREFLIGHT_S),
    ]
