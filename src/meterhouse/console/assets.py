"""The stylesheet, scripts and icon of the console, kept in memory and addressed by their content."""

from __future__ import annotations

import hashlib
import mimetypes
from importlib import resources

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

PATH = "/console/static"
VERSION_CHARS = 16
_FOR_EVER = "public, max-age=31536000, immutable"


class Assets:
    """The files of `static/`. Only names found there at the start are served."""

    def __init__(self) -> None:
        folder = resources.files("meterhouse.console") / "static"
        self._files = {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}
        content = b"".join(name.encode() + body for name, body in sorted(self._files.items()))
        self._version = hashlib.sha256(content).hexdigest()[:VERSION_CHARS]

    def url(self, name: str) -> str:
        """The address of a file; it changes with the content, so that it may be cached for ever."""
        if name not in self._files:
            raise KeyError(f"there is no static file {name}")
        return f"{PATH}/{self._version}/{name}"

    def route(self, headers: dict[str, str]) -> Route:
        """Serve the files with `headers` on every answer."""

        async def show(request: Request) -> Response:
            body = self._files.get(request.path_params["name"])
            if body is None:
                return PlainTextResponse("There is no such file.\n", status_code=404, headers=headers)
            is_current = request.path_params["version"] == self._version
            cache = {"Cache-Control": _FOR_EVER if is_current else "no-cache"}
            kind = mimetypes.guess_type(request.path_params["name"])[0]
            return Response(body, media_type=kind, headers={**headers, **cache})

        return Route(f"{PATH}/{{version}}/{{name}}", show)
