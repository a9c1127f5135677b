"""Mail handed to the operator's mail server over SMTP.

It goes its own way out: the server's address comes from the operator's settings, never from a page or a
user, and is often a private one.
"""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

import aiosmtplib

from meterhouse.kernel.errors import Invalid
from meterhouse.platform.ports import Mail, MailFailed

TIMEOUT_S = 45.0
CONNECTIONS_MAX = 4
PORTS = {"smtp": 25, "starttls": 587, "smtps": 465}
_FORM = "smtp://, starttls:// or smtps://, then [user:password@]host[:port]"


@dataclass(frozen=True)
class MailServer:
    """Where mail is handed over, and by whom. `sender` is the address it comes from."""

    host: str
    port: int
    scheme: str
    username: str | None
    password: str | None
    sender: str

    @classmethod
    def parse(cls, url: str, *, sender: str = "") -> MailServer:
        """Read `METERHOUSE_SMTP_URL`. The sender is the user name where that is an address.

        Raises `Invalid` naming the setting at fault; a password is never repeated.
        """
        try:
            parts = urlsplit(url.strip())
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port, parts = None, None, urlsplit("")
        if parts.scheme not in PORTS or not host or parts.path not in ("", "/"):
            raise Invalid(f"METERHOUSE_SMTP_URL is not of the form {_FORM}.")
        username = unquote(parts.username) if parts.username else None
        sender = sender.strip() or (username if username and "@" in username else "")
        if "@" not in sender or any(ord(char) <= 32 for char in sender):
            raise Invalid(
                "METERHOUSE_SMTP_FROM must be the address that mail comes from, such as team@example.com."
            )
        password = unquote(parts.password) if parts.password else None
        return cls(host, port or PORTS[parts.scheme], parts.scheme, username, password, sender)

    @property
    def needs_encryption(self) -> bool:
        """Asked for, or because a password would otherwise cross a network readably."""
        return self.scheme != "smtp" or (self.username is not None and not _is_local(self.host))


class SmtpMailer:
    """`ports.Mailer`. One connection per message, a few at once.

    `smtp` encrypts where the server offers it, and insists when it has a password to send to another machine.
    """

    def __init__(
        self, server: MailServer, *, ssl_context: ssl.SSLContext | None = None, timeout_s: float = TIMEOUT_S
    ) -> None:
        self._server = server
        self._timeout_s = timeout_s
        self._turns = asyncio.Semaphore(CONNECTIONS_MAX)
        self._context = ssl_context or _context(server)

    async def send(self, mail: Mail) -> None:
        message = self._message(mail)
        try:
            async with self._turns, asyncio.timeout(self._timeout_s):
                await self._hand_over(message, mail.to)
        except TimeoutError:
            raise self._failed(f"it did not take the message within {self._timeout_s:g} s") from None
        except aiosmtplib.SMTPAuthenticationError as error:
            raise self._failed(f"it refuses the user name or password ({error.code})", error.code) from None
        except aiosmtplib.SMTPRecipientsRefused as error:
            refused = error.recipients[0]
            raise self._answered(refused.code, refused.message) from None
        except aiosmtplib.SMTPResponseException as error:
            raise self._answered(error.code, error.message) from None
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise self._failed(f"it cannot be used ({str(error) or type(error).__name__})") from None

    async def _hand_over(self, message: EmailMessage, to: str) -> None:
        server = self._server
        client = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            use_tls=server.scheme == "smtps",
            start_tls=None if not server.needs_encryption else server.scheme != "smtps",
            username=server.username,
            password=server.password,
            tls_context=self._context,
            timeout=self._timeout_s,
        )
        async with client:
            await client.send_message(message, sender=server.sender, recipients=[to])

    def _message(self, mail: Mail) -> EmailMessage:
        message = EmailMessage()
        message["From"] = self._server.sender
        message["To"] = mail.to
        message["Subject"] = mail.subject
        message["Date"] = format_datetime(mail.at)
        # The same for every attempt, so that mail servers recognise a repeated one.
        message["Message-ID"] = f"<{mail.id}@{self._server.sender.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(mail.text)
        return message

    def _answered(self, code: int, text: str) -> MailFailed:
        said = " ".join(text.split())[:200]
        # 4xx asks to come back later; 5xx is the server's last word (RFC 5321, 4.2.1).
        return self._failed(f"it answers {code} {said}", code, is_final=code >= 500)

    def _failed(self, fault: str, code: int = 0, *, is_final: bool = False) -> MailFailed:
        where = f"{self._server.host}:{self._server.port}"
        return MailFailed(
            f"The mail server {where}: {fault}.", retryable=not is_final, reply_code=code, is_final=is_final
        )


def _context(server: MailServer) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if not server.needs_encryption:
        # Encryption that is only taken where offered is no safer for a name that could be left out.
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _is_local(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
