"""Mail over SMTP: plain, encrypted and with a password, and what comes of servers that refuse or hang."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import pytest
from tests.mailbox import PASSWORD, USER, Mailbox
from tests.server import free_port

from meterhouse.kernel.errors import Invalid
from meterhouse.platform.mail import MailServer, SmtpMailer
from meterhouse.platform.ports import Mail, MailFailed

FOLDER = Path(__file__).parents[1] / "fetch" / "tls"
MAIL = Mail(
    "0190", "team@example.org", "Phones changed: ü", "New:\n- Phone\n.\n", datetime(2030, 1, 1, tzinfo=UTC)
)
LOGIN = f"{quote(USER)}:{quote(PASSWORD, safe='')}@"


@pytest.fixture
def mailbox() -> Iterator[Callable[..., Mailbox]]:
    opened: list[Mailbox] = []

    def open_one(encryption: str = "none", **given: bool) -> Mailbox:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(FOLDER / "shop.pem")
        opened.append(Mailbox(encryption, context, **given))
        return opened[-1]

    yield open_one
    for one in opened:
        one.close()


def mailer(
    box: Mailbox, scheme: str, login: str = "", *, trusting: bool = False, **given: float
) -> SmtpMailer:
    context = None
    if trusting:
        context = ssl.create_default_context(cafile=FOLDER / "ca.pem")
        context.check_hostname = False
    url = f"{scheme}://{login}127.0.0.1:{box.port}"
    server = MailServer.parse(url, sender="" if login else "meterhouse@example.com")
    return SmtpMailer(server, ssl_context=context, **given)


@pytest.mark.parametrize(
    ("scheme", "encryption"),
    [("smtp", "none"), ("smtp", "starttls"), ("starttls", "starttls"), ("smtps", "implicit")],
)
async def test_a_message_arrives_as_it_was_written(
    mailbox: Callable[..., Mailbox], scheme: str, encryption: str
) -> None:
    box = mailbox(encryption)
    await mailer(box, scheme, LOGIN, trusting=scheme != "smtp").send(MAIL)
    (letter,) = box.letters
    assert (letter.sender, letter.recipient, letter.user) == (USER, MAIL.to, USER)
    assert letter.was_encrypted == (encryption != "none")
    headers = {name: letter.message[name] for name in ("From", "To", "Subject", "Message-ID")}
    assert headers == {
        "From": USER,
        "To": MAIL.to,
        "Subject": MAIL.subject,
        "Message-ID": "<0190@example.com>",
    }
    assert letter.message["Date"].datetime == MAIL.at
    assert letter.message.get_content().replace("\r\n", "\n") == MAIL.text


async def test_encryption_that_was_asked_for_is_insisted_on(mailbox: Callable[..., Mailbox]) -> None:
    plain = mailbox()
    with pytest.raises(MailFailed, match="STARTTLS") as failed:
        await mailer(plain, "starttls").send(MAIL)
    assert not failed.value.is_final
    unknown = mailbox("starttls")
    with pytest.raises(MailFailed, match=r"(?i)certificate"):
        await mailer(unknown, "starttls").send(MAIL)
    assert plain.letters == unknown.letters == []


@pytest.mark.parametrize(
    ("reply", "is_final"), [("550 no such mailbox", True), ("451 come back later", False)]
)
async def test_a_refusal_is_final_when_the_server_says_so(
    mailbox: Callable[..., Mailbox], reply: str, is_final: bool
) -> None:
    box = mailbox()
    box.replies = [reply]
    with pytest.raises(MailFailed, match=reply) as failed:
        await mailer(box, "smtp").send(MAIL)
    assert (failed.value.reply_code, failed.value.is_final) == (int(reply[:3]), is_final)


async def test_faults_of_the_operator_can_be_mended_and_tell_no_password(
    mailbox: Callable[..., Mailbox],
) -> None:
    box = mailbox()
    with pytest.raises(MailFailed, match="user name or password") as failed:
        await mailer(box, "smtp", f"{quote(USER)}:wrong-word@").send(MAIL)
    assert "wrong-word" not in str(failed.value)
    assert (failed.value.reply_code, failed.value.is_final) == (535, False)
    nobody = SmtpMailer(MailServer.parse(f"smtp://127.0.0.1:{free_port()}", sender="a@b.example"))
    with pytest.raises(MailFailed, match="cannot be used"):
        await nobody.send(MAIL)
    with pytest.raises(MailFailed, match=r"within 0\.2 s"):
        await mailer(mailbox(hang=True), "smtp", timeout_s=0.2).send(MAIL)


def test_a_password_is_not_sent_readably_to_another_machine() -> None:
    def needs(url: str) -> bool:
        return MailServer.parse(url, sender="a@b.example").needs_encryption

    assert [needs(f"smtp://u:p@{host}") for host in ("mail.example", "localhost", "127.0.0.1", "[::1]")] == [
        True,
        False,
        False,
        False,
    ]
    assert not needs("smtp://mail.example")
    ports = [
        MailServer.parse(f"{scheme}://h.example", sender="a@b.example").port
        for scheme in ("smtp", "starttls", "smtps")
    ]
    assert ports == [25, 587, 465]


@pytest.mark.parametrize(
    ("url", "sender", "setting"),
    [
        ("mail.example:25", "a@b.example", "SMTP_URL"),
        ("http://mail.example", "a@b.example", "SMTP_URL"),
        ("smtp://mail.example:99999", "a@b.example", "SMTP_URL"),
        ("smtp://u:hidden@mail.example/path", "a@b.example", "SMTP_URL"),
        ("smtp://mail.example", "", "SMTP_FROM"),
        ("smtp://user:hidden@mail.example", "", "SMTP_FROM"),
        ("smtp://mail.example", "a@b.example\r\nBcc: c@d.example", "SMTP_FROM"),
    ],
)
def test_settings_that_cannot_be_used_are_named(url: str, sender: str, setting: str) -> None:
    with pytest.raises(Invalid, match=f"METERHOUSE_{setting}") as refused:
        MailServer.parse(url, sender=sender)
    assert "hidden" not in str(refused.value)
