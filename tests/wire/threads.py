"""ASGI applications on a port of this machine, each in a thread with its own event loop."""

from __future__ import annotations

import socket
import threading
import time
from dataclasses import dataclass

import uvicorn
from starlette.types import ASGIApp


@dataclass(frozen=True)
class Listener:
    """A running application."""

    base_url: str
    _server: uvicorn.Server
    _thread: threading.Thread

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join(timeout=10)


def listen(app: ASGIApp, *, start_timeout_s: float = 10.0) -> Listener:
    """Serve `app` on a free port. Adds no headers of its own, so that a proxy stays invisible."""
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=0,
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        date_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=2,
    )
    server = uvicorn.Server(config)
    bound = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
    thread.start()
    give_up_at = time.monotonic() + start_timeout_s
    while not server.started:
        if time.monotonic() > give_up_at or not thread.is_alive():
            raise RuntimeError("the application did not start listening")
        time.sleep(0.005)
    return Listener(f"http://127.0.0.1:{bound.getsockname()[1]}", server, thread)
