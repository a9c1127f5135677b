"""What contexts know of the platform: protocols and the plain data that crosses them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

import pyarrow as pa
from sqlalchemy.ext.asyncio import AsyncConnection

from meterhouse.kernel.errors import DependencyFailed

FetchReason = Literal[
    "bad_url",
    "blocked_address",
    "dns",
    "connect",
    "tls",
    "timeout",
    "too_large",
    "too_many_redirects",
    "protocol",
    "decode",
    "robots",
]


@dataclass(frozen=True)
class FetchLimits:
    """Bounds of one fetch, redirects included. `body_bytes_max` counts bytes after decompression."""

    connect_timeout_s: float = 10.0
    total_timeout_s: float = 30.0
    body_bytes_max: int = 20_000_000
    redirects_max: int = 5


@dataclass(frozen=True)
class Fetched:
    """A complete answer. `url` is the address that finally answered; header names are lower case."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    redirects: tuple[str, ...] = ()
    duration_s: float = 0.0


@dataclass(eq=False)
class FetchFailed(DependencyFailed):
    """No complete answer was received; `reason` says why in one word."""

    reason: FetchReason = "connect"

    default_code = "fetch_failed"

    __str__ = DependencyFailed.__str__


class Fetcher(Protocol):
    """The one guarded way out to the network. An answer of any status is returned, never raised."""

    async def fetch(
        self,
        url: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        limits: FetchLimits | None = None,
    ) -> Fetched: ...


@dataclass(frozen=True)
class RenderLimits:
    """Bounds of one page in a browser. What comes over the network is counted as received, compressed."""

    total_timeout_s: float = 40.0
    settle_timeout_s: float = 6.0
    transfer_bytes_max: int = 60_000_000
    html_chars_max: int = 20_000_000
    requests_max: int = 200
    response_bytes_max: int = 5_000_000
    recorded_bytes_max: int = 20_000_000


@dataclass(frozen=True)
class RecordedRequest:
    """A call that a page made for JSON, and what was answered. Header names are lower case, `cookie` among
    them."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: str | None
    status: int
    response: str


@dataclass(frozen=True)
class Rendered:
    """A page after its scripts came to rest: its document, its final address, and its calls in order."""

    html: str
    url: str
    status: int
    requests: tuple[RecordedRequest, ...] = ()
    bytes: int = 0


class BrowserMissing(DependencyFailed):
    """No browser can be started on this machine; the message says how to provide one."""

    default_code = "browser_missing"


@dataclass(frozen=True)
class Presses:
    """Buttons that make a list grow: one that reads like one of the `labels` (lower case) is pressed, and
    again while there is one, up to `times` times. With 0 it is pressed once, after the document was taken:
    for the calls that this brings."""

    labels: tuple[str, ...]
    times: int = 0


class Browser(Protocol):
    """Loads pages with their scripts, through the same guard as every other request."""

    async def load(
        self, url: str, *, limits: RenderLimits | None = None, presses: Presses | None = None
    ) -> Rendered:
        """Load a page and record its calls. Raises `FetchFailed`, or `BrowserMissing`."""
        ...


class NoBrowser:
    """Stands where no browser is provided: every page is refused with what to do about it."""

    async def load(
        self, url: str, *, limits: RenderLimits | None = None, presses: Presses | None = None
    ) -> Rendered:
        raise BrowserMissing(f"The page {url} needs a browser, and this process has none.")


@dataclass(frozen=True)
class Mail:
    """One message of plain text. `id` names it in every attempt; `at` is its date."""

    id: str
    to: str
    subject: str
    text: str
    at: datetime


@dataclass(eq=False)
class MailFailed(DependencyFailed):
    """A message was not taken. `reply_code` is the mail server's, 0 without an answer; `is_final`: it never
    will be."""

    reply_code: int = 0
    is_final: bool = False

    default_code = "mail_failed"

    __str__ = DependencyFailed.__str__


class Mailer(Protocol):
    """Hands mail to the operator's mail server."""

    async def send(self, mail: Mail) -> None:
        """Return when the server took the message. Raises `MailFailed`."""
        ...


class Model(Protocol):
    """A language model that answers one question with text. What it says is never trusted."""

    async def complete(self, *, instructions: str, material: str) -> str:
        """The model's answer. Raises `DependencyFailed` when there is none in time."""
        ...


@dataclass(frozen=True)
class Rows:
    """The answer of a query: column names and rows in order."""

    columns: tuple[str, ...]
    rows: Sequence[tuple[object, ...]] = field(default_factory=tuple)


class EventStore(Protocol):
    """A narrow port over the ClickHouse engine, embedded or on a server; the same SQL for both.

    SQL is written by this project only and carries neither `FORMAT` nor `SETTINGS`. Whatever a user
    sent travels in `parameters`, bound by the engine as `{name:Type}`; an aware `datetime` is bound as
    `{name:DateTime64(6, 'UTC')}`. Every method raises `DependencyFailed` when the engine does not do
    its part within `timeout_s`.
    """

    async def query(
        self, sql: str, parameters: Mapping[str, object] | None = None, *, timeout_s: float = 30.0
    ) -> Rows:
        """Read rows as Python values; instants come back aware, in UTC."""
        ...

    async def query_arrow(
        self, sql: str, parameters: Mapping[str, object] | None = None, *, timeout_s: float = 30.0
    ) -> pa.Table:
        """Read the answer as columns: for large results that Python need not touch row by row."""
        ...

    async def command(
        self, sql: str, parameters: Mapping[str, object] | None = None, *, timeout_s: float = 30.0
    ) -> None:
        """Run a statement that returns no rows (DDL, `INSERT … SELECT`, `ALTER`)."""
        ...

    async def insert_arrow(self, table: str, block: pa.RecordBatch, *, timeout_s: float = 30.0) -> None:
        """Store one block of columns; on return it is on disk and visible to the next query.

        Never repeated by the store itself. After a failure on the way to a server it is unknown
        whether the block was stored, or still will be.
        """
        ...

    async def settle(self, *, timeout_s: float = 30.0) -> None:
        """Wait until no block of an earlier `insert_arrow` is still on its way into this database.

        Whatever it brought is visible afterwards. Needed before a look-up that must not miss a block
        whose caller is gone; raises `DependencyFailed` when such a block does not end in time.
        """
        ...

    async def ping(self) -> None:
        """Raise `DependencyFailed` unless the engine answers."""
        ...

    async def close(self) -> None: ...


class Database(Protocol):
    """PostgreSQL. One unit of work is one transaction: committed on leaving, rolled back on an error."""

    def begin(self) -> AbstractAsyncContextManager[AsyncConnection]: ...

    def read(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A connection for reads that stand each for itself, without the round trips of a transaction."""
        ...


class Queue(Protocol):
    """Background tasks, at least once. A task is enqueued in the transaction that needs it."""

    async def enqueue(
        self, connection: AsyncConnection, task: str, *, key: str | None = None, **arguments: object
    ) -> None:
        """Ask for `task(**arguments)` after commit; tasks of one `key` run one after another."""
        ...

    async def enqueue_many(
        self, connection: AsyncConnection, task: str, wanted: Sequence[tuple[str, Mapping[str, object]]]
    ) -> None:
        """Like `enqueue` for each pair of key and arguments, in one statement."""
        ...
