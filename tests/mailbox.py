"""A mail server on a port of its own: keeps what it gets, and answers what tests want."""

from __future__ import annotations

import base64
import contextlib
import socketserver
import ssl
import threading
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import cast

USER, PASSWORD = "ops@example.com", "p@ss:word"


@dataclass(frozen=True)
class Letter:
    """One message: envelope, content, and what protected it on the way."""

    sender: str
    recipient: str
    message: EmailMessage
    was_encrypted: bool
    user: str | None


@dataclass
class Mailbox:
    """Answers `replies` to recipients one after another, then takes every message.

    `encryption`: `none`, `starttls`, or `implicit`. With a `hang` it says nothing at all.
    """

    encryption: str = "none"
    context: ssl.SSLContext | None = None
    hang: bool = False
    replies: list[str] = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        self._released = threading.Event()
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._released.set()
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[socketserver.BaseRequestHandler]:
        mailbox = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                if mailbox.hang:
                    mailbox._released.wait()
                    return
                with contextlib.suppress(OSError, EOFError):  # the client went away
                    _Session(mailbox, self.request).run()

        return Handler


class _Session:
    """One connection."""

    def __init__(self, mailbox: Mailbox, connection: object) -> None:
        self._mailbox = mailbox
        self._socket = cast("ssl.SSLSocket", connection)
        self._encrypted = mailbox.encryption == "implicit"
        if self._encrypted:
            self._encrypt()
        self._file = self._socket.makefile("rb")
        self._user: str | None = None
        self._sender = self._recipient = ""

    def run(self) -> None:
        self._say("220 mail.example")
        while True:
            line = self._read()
            verb = line[:4].upper()
            if verb == "QUIT":
                self._say("221 bye")
                return
            if verb in ("EHLO", "HELO"):
                self._greet()
            elif verb == "STAR":
                self._say("220 go ahead")
                self._encrypt()
                self._file = self._socket.makefile("rb")
            elif verb == "AUTH":
                self._authenticate(line)
            elif verb == "MAIL":
                self._sender = line.partition("<")[2].partition(">")[0]
                self._say("250 ok")
            elif verb == "RCPT":
                self._recipient = line.partition("<")[2].partition(">")[0]
                self._say(self._mailbox.replies.pop(0) if self._mailbox.replies else "250 ok")
            elif verb == "DATA":
                self._take()
            else:
                self._say("250 ok")

    def _greet(self) -> None:
        offers = ["mail.example", "AUTH PLAIN"]
        if self._mailbox.encryption == "starttls" and not self._encrypted:
            offers.append("STARTTLS")
        for offer in offers[:-1]:
            self._say(f"250-{offer}")
        self._say(f"250 {offers[-1]}")

    def _authenticate(self, line: str) -> None:
        _, user, password = base64.b64decode(line.split()[-1]).decode().split("\0")
        self._user = user if (user, password) == (USER, PASSWORD) else None
        self._say("235 welcome" if self._user else "535 no such user")

    def _take(self) -> None:
        self._say("354 go on")
        lines = []
        while (line := self._file.readline()) != b".\r\n":
            if not line:
                raise EOFError
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        message = cast("EmailMessage", message_from_bytes(b"".join(lines), policy=policy.default))
        letter = Letter(self._sender, self._recipient, message, self._encrypted, self._user)
        self._mailbox.letters.append(letter)
        self._say("250 taken")

    def _encrypt(self) -> None:
        assert self._mailbox.context is not None
        self._socket = self._mailbox.context.wrap_socket(self._socket, server_side=True)
        self._encrypted = True

    def _say(self, text: str) -> None:
        self._socket.sendall(f"{text}\r\n".encode())

    def _read(self) -> str:
        line = self._file.readline()
        if not line:
            raise EOFError
        return line.decode()
