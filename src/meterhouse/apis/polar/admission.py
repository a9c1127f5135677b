"""What the Polar facade looks at before anything else: the version asked for, and the body's length."""

from __future__ import annotations

import re

from starlette.types import Scope

from meterhouse.apis.faults import LengthRequired, RouteNotFound

DEFAULT_VERSION = b"2026-10"

_VERSION = re.compile(rb"\d{4}-(0[1-9]|1[0-2])")


def admit(scope: Scope) -> list[tuple[bytes, bytes]]:
    """Return the version used, as a header for the answer.

    Any well-formed version is served. Raises `RouteNotFound` for a malformed one, as the hosted service
    answers it, and `LengthRequired` for a POST or PATCH that does not say how long it is.
    """
    version, length = DEFAULT_VERSION, None
    for name, value in scope["headers"]:
        if name == b"polar-version":
            version = value
        elif name == b"content-length":
            length = value
    if not _VERSION.fullmatch(version):
        raise RouteNotFound("There is no such API version; write it as YYYY-MM.")
    if length is None and scope["method"] in ("POST", "PATCH"):
        raise LengthRequired("A Content-Length header is required.")
    return [(b"polar-version", version)]
