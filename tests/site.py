"""A small web site on a port of its own, whose pages tests change while it runs."""

from __future__ import annotations

import contextlib
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Site:
    """Serves `pages` by path: HTML text, or a status. `delay_s` holds every answer back.

    `headers` are sent with every answer; who names the `etag` among them is answered 304.
    """

    def __init__(self) -> None:
        self.pages: dict[str, str | int] = {}
        self.headers: dict[str, str] = {}
        self.delay_s = 0.0
        self.requests: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.base_url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def url(self, path: str = "/") -> str:
        return self.base_url + path

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.requests.append(self.path)
                time.sleep(site.delay_s)
                page = site.pages.get(self.path, 404)
                if site.headers.get("etag", "") == self.headers.get("if-none-match"):
                    page = 304
                body = page.encode() if isinstance(page, str) else b"<html><body>no such page</body></html>"
                self.send_response(200 if isinstance(page, str) else page)
                for name, value in {"content-type": "text/html; charset=utf-8", **site.headers}.items():
                    self.send_header(name, value)
                if page == 304:
                    self.end_headers()
                    return
                self.send_header("content-length", str(len(body)))
                with contextlib.suppress(ConnectionError):  # who asked may have been killed meanwhile
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        return Handler
