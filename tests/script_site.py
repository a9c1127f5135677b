"""A small site per test on a loopback port: handlers by path, and everything it was asked."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Answer:
    body: str | bytes = ""
    kind: str = "text/html; charset=utf-8"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


def as_json(value: object, status: int = 200) -> Answer:
    return Answer(json.dumps(value), "application/json", status)


Handler = Callable[[Asked], Answer]


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser hangs up on what it does not need any more; anything else is a fault and printed."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class ScriptSite:
    """Serves `routes` by path, the longest matching prefix ending in `/*` too."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.routes: dict[str, Handler | str] = {}
        self.asked: list[Asked] = []
        self._server = _Server((host, 0), self._handler())
        self.port = self._server.server_port
        self.base_url = f"http://{host}:{self.port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def url(self, path: str = "/") -> str:
        return self.base_url + path

    def paths(self) -> list[str]:
        return [one.path for one in self.asked]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, asked: Asked) -> Answer:
        route = self.routes.get(asked.path)
        if route is None:
            prefixes = [
                path for path in self.routes if path.endswith("*") and asked.path.startswith(path[:-1])
            ]
            route = self.routes[max(prefixes, key=len)] if prefixes else None
        if route is None:
            return Answer("<html><body>no such page</body></html>", status=404)
        return Answer(route) if isinstance(route, str) else route(asked)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        site = self

        class OneRequest(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self) -> None:
                parts = urlsplit(self.path)
                length = int(self.headers.get("content-length") or 0)
                asked = Asked(
                    self.command,
                    parts.path,
                    dict(parse_qsl(parts.query, keep_blank_values=True)),
                    {name.lower(): value for name, value in self.headers.items()},
                    self.rfile.read(length),
                )
                site.asked.append(asked)
                answer = site._answer(asked)
                body = answer.body.encode() if isinstance(answer.body, str) else answer.body
                self.send_response(answer.status)
                self.send_header("content-type", answer.kind)
                self.send_header("content-length", str(len(body)))
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = _serve

            def log_message(self, format: str, *args: Any) -> None:
                pass

        return OneRequest
