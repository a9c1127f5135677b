"""The socket that the server listens on."""

from __future__ import annotations

import socket

from meterhouse.cli.server import _listen


def test_answers_are_not_held_back() -> None:
    """Without this, every small answer on a kept connection took 44 ms instead of 1.4 ms."""
    listener = _listen("127.0.0.1", 0)
    try:
        assert listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        listener.listen(1)
        client = socket.create_connection(listener.getsockname())
        listener.setblocking(True)
        accepted, _ = listener.accept()
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        accepted.close()
        client.close()
    finally:
        listener.close()
