"""One handle to the ClickHouse engine, and the sentences for what can go wrong with it.

A handle serialises its calls: `platform.events` keeps several of them for use from threads.
"""

from __future__ import annotations

import contextlib
import io
import math
import os
import re
import tempfile
import threading
from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qs, unquote, urlsplit

import clickhouse_connect
import pyarrow as pa
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError
from urllib3.exceptions import HTTPError
from urllib3.util import Timeout

from meterhouse.kernel.errors import DependencyFailed, InvariantBroken

EMBEDDED_DATABASE = "meterhouse"
CONNECT_TIMEOUT_S = 5
ANSWER_GRACE_S = 5.0  # how long the engine may take to report that a statement ran out of time

ENGINE_FAILURES = (ClickHouseError, HTTPError, OSError, RuntimeError)

# `async_insert = 0`: a server profile may switch it on, and then "stored" would mean "buffered".
_SETTINGS: Mapping[str, object] = {"async_insert": 0, "output_format_arrow_compression_method": "none"}

_ERROR_NAME = re.compile(r"\(([A-Z][A-Z0-9_]{3,})\)")
_TIMEOUT_CODES = {159, 160, 209}
_MEMORY_CODE = 241
_DISK_FULL_CODE = 243
_DATABASE_NAME = re.compile(r"\A[A-Za-z_][A-Za-z0-9_]*\Z")


@dataclass(frozen=True)
class Target:
    """Where the engine is. `label` names it in messages and never holds a password; `folder` is the embedded
    one's."""

    kind: Literal["embedded", "server"]
    url: str
    label: str
    database: str | None
    folder: Path | None = None


def parse_target(url: str) -> Target:
    """Read `chdb:///folder[?database=name]` or `clickhouse://user:password@host:port/database`."""
    parts = urlsplit(url)
    if parts.scheme == "chdb" and not parts.netloc and len(parts.path) > 1:
        database = parse_qs(parts.query).get("database", [EMBEDDED_DATABASE])[0]
        folder = unquote(parts.path)
        label = f"the event store in {folder}"
        return Target("embedded", url, label, _checked_database(database), Path(folder))
    if parts.scheme in ("clickhouse", "clickhouses") and parts.hostname:
        database = unquote(parts.path.lstrip("/")) or "default"
        where = f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname
        return Target("server", url, f"the ClickHouse server at {where}", _checked_database(database))
    raise DependencyFailed(
        "The events URL is neither chdb:///absolute/folder nor clickhouse://user:password@host:port/database.",
        code="events_url",
    )


def _checked_database(name: str) -> str:
    if not _DATABASE_NAME.match(name):
        raise DependencyFailed(
            f"The events URL names the database {name!r}; letters, digits and _ are allowed.",
            code="events_url",
        )
    return name


class EngineHandle:
    """One connection. Not for two threads at once; `platform.events` hands it to one at a time."""

    def __init__(self, client: Client, target: Target) -> None:
        self._client = client
        self._target = target
        self._timeout_s = 0

    @classmethod
    def open(cls, target: Target) -> EngineHandle:
        """Connect. Raises `DependencyFailed` with a sentence for every way this can fail."""
        try:
            return cls(_connect(target), target)
        except ENGINE_FAILURES as failure:
            raise explain_open_failure(failure, target) from None

    def query(
        self, sql: str, parameters: Mapping[str, object] | None, timeout_s: float
    ) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
        self._limit(timeout_s)
        result = self._client.query(sql, parameters=bind(sql, parameters))
        return tuple(result.column_names), [tuple(row) for row in result.result_rows]

    def query_arrow(self, sql: str, parameters: Mapping[str, object] | None, timeout_s: float) -> pa.Table:
        self._limit(timeout_s)
        answer = self._client.raw_query(sql, parameters=bind(sql, parameters), fmt="ArrowStream")
        with pa.ipc.open_stream(pa.py_buffer(answer)) as reader:
            return reader.read_all()

    def command(self, sql: str, parameters: Mapping[str, object] | None, timeout_s: float) -> None:
        self._limit(timeout_s)
        self._client.command(sql, parameters=bind(sql, parameters))

    def insert_arrow(self, table: str, block: pa.RecordBatch, timeout_s: float) -> None:
        self._limit(timeout_s)
        self._client.raw_insert(
            table,
            block.schema.names,
            _once(arrow_stream(block)),
            settings=_insert_settings(self._target),
            fmt="ArrowStream",
        )

    def close(self) -> None:
        self._client.close()

    def _limit(self, timeout_s: float) -> None:
        """Bound the next statement, in the engine and on the wire. The engine counts whole seconds."""
        seconds = max(1, math.ceil(timeout_s))
        if seconds == self._timeout_s:
            return
        self._client.set_client_setting("max_execution_time", seconds)
        if self._target.kind == "server":
            client: Any = self._client
            client.timeout = Timeout(connect=CONNECT_TIMEOUT_S, read=seconds + ANSWER_GRACE_S)
        self._timeout_s = seconds


def _connect(target: Target) -> Client:
    if target.kind == "embedded":
        return _connect_embedded(target)
    return clickhouse_connect.get_client(
        dsn=target.url,
        settings=dict(_SETTINGS),
        tz_mode="aware",
        autogenerate_session_id=False,
        connect_timeout=CONNECT_TIMEOUT_S,
        dedicated_pool=True,
    )


def _connect_embedded(target: Target) -> Client:
    """Open the engine in this process, in a database of our own.

    Not in the engine's default database: a copy of the folder that followed symbolic links opens with
    that one silently empty, while a named database refuses to load.
    """
    path = str(target.folder)
    if not Path(path).is_absolute():
        raise OSError(f"{path} is not an absolute path")
    with _engine_messages():
        client = clickhouse_connect.get_client(
            interface="chdb", path=path, settings=dict(_SETTINGS), tz_mode="aware"
        )
    try:
        client.command(f"CREATE DATABASE IF NOT EXISTS {target.database} ENGINE = Atomic")
        client.database = target.database
    except BaseException:
        client.close()
        raise
    return client


_stderr_lock = threading.Lock()


@contextlib.contextmanager
def _engine_messages() -> Iterator[None]:
    """Raise what the engine says while it opens, instead of letting it write that to standard error.

    The engine tells its caller only that it failed, and writes why to the file descriptor itself. What
    comes without a failure (from other threads, too) is passed on.
    """
    with _stderr_lock, tempfile.TemporaryFile() as messages:
        kept = os.dup(2)
        os.dup2(messages.fileno(), 2)
        try:
            failure = None
            try:
                yield
            except ENGINE_FAILURES as caught:
                failure = caught
        finally:
            os.dup2(kept, 2)
            os.close(kept)
        messages.seek(0)
        said = messages.read()
        if failure is not None:
            raise OpenFailed(f"{failure}\n{said.decode(errors='replace')}") from failure
        os.write(2, said)


class OpenFailed(RuntimeError):
    """The embedded engine did not open; the text holds all it said."""


def arrow_stream(block: pa.RecordBatch) -> bytes:
    """A block as it is written for the engine."""
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, block.schema) as writer:
        writer.write_batch(block)
    return sink.getvalue()


def _once(block: bytes) -> Generator[bytes, None, None]:
    """Hand the block over in a form that the client cannot send twice.

    The client repeats a request whose connection broke when its body is plain bytes; but the server may
    have stored the first one, and a block stored twice would count every event twice.
    """
    yield block


INSERT_MARK = "meterhouse block"


def _insert_settings(target: Target) -> dict[str, object]:
    """How a block is inserted: by one thread, since more only cost time for one as small as ours are.

    On a server it is marked, so that one still running for a lost caller can be found.
    """
    one_thread: dict[str, object] = {"max_threads": 1}
    return {**one_thread, "log_comment": INSERT_MARK} if target.kind == "server" else one_thread


def bind(sql: str, parameters: Mapping[str, object] | None) -> dict[str, Any] | None:
    """Prepare parameters for binding by the engine.

    A parameter without its `{name:Type}` would make the client format the SQL text itself, so it is
    refused as a fault of ours. Instants are written out here because the client drops their fraction
    and shifts them into the time zone of the host.
    """
    if not parameters:
        return None
    for name in parameters:
        if f"{{{name}:" not in sql:
            raise InvariantBroken(f"The query has no typed placeholder for its parameter {name!r}.")
    return {name: _bound(value) for name, value in parameters.items()}


def _bound(value: object) -> object:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise InvariantBroken("A query parameter is an instant without a time zone.")
        return value.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")
    if isinstance(value, list | tuple):
        return [_bound(item) for item in value]
    return value


def explain_open_failure(failure: BaseException, target: Target) -> DependencyFailed:
    """Say in one sentence why the engine could not be opened."""
    text = str(failure)
    if target.kind == "server":
        return _server_open_failure(text, failure, target)
    if "Cannot lock file" in text:
        return DependencyFailed(
            f"Another process is using {target.label}; stop it first, or choose another data folder.",
            code="events_locked",
        )
    if _engine_is_elsewhere(text):
        return DependencyFailed(
            f"This process has an event store in another folder open and cannot open {target.label} too.",
            code="events_second_folder",
        )
    if "filesystem error" in text or isinstance(failure, OSError):
        reason = re.search(r"filesystem error: in \w+: ([^\[\n]+)", text)
        why = (reason.group(1) if reason else text).strip()
        return DependencyFailed(f"Cannot create {target.label}: {why}.", code="events_folder")
    return DependencyFailed(
        f"Cannot open {target.label}: its files are damaged or were not written by this engine"
        f"{_engine_name(text)}; restore them from a backup or choose another data folder.",
        code="events_damaged",
    )


def _engine_is_elsewhere(text: str) -> bool:
    return "already" in text and ("different path" in text or "initialized" in text)


def _server_open_failure(text: str, failure: BaseException, target: Target) -> DependencyFailed:
    code = getattr(failure, "code", None)
    if code in (516, 192, 193, 194) or "AUTHENTICATION_FAILED" in text:
        return DependencyFailed(
            f"{_upper(target.label)} refuses the user or password of the events URL.", code="events_denied"
        )
    if code == 81 or "UNKNOWN_DATABASE" in text:
        return DependencyFailed(
            f"{_upper(target.label)} has no database {target.database}; create it first.",
            code="events_no_database",
        )
    return DependencyFailed(
        f"{_upper(target.label)} cannot be reached or does not answer as ClickHouse; check the events URL.",
        code="events_unreachable",
        retryable=True,
    )


def explain_failure(failure: BaseException, target: Target, doing: str) -> DependencyFailed:
    """Say in one sentence why a statement failed; `doing` completes "… failed while …"."""
    code = failure.code if isinstance(failure, DatabaseError) else None
    details: dict[str, object] = {"engine_code": code} if code is not None else {}
    label = _upper(target.label)
    if code in _TIMEOUT_CODES or isinstance(failure, TimeoutError):
        return DependencyFailed(
            f"{label} ran out of time while {doing}.", code="events_timeout", details=details, retryable=True
        )
    if code == _MEMORY_CODE:
        return DependencyFailed(
            f"{label} ran out of memory while {doing}.", code="events_memory", details=details, retryable=True
        )
    if code == _DISK_FULL_CODE:
        return DependencyFailed(
            f"The disk of {target.label} is full, so nothing was stored. Free some space "
            "and repeat the request.",
            code="events_disk_full",
            details=details,
            retryable=True,
        )
    if code is not None:
        return DependencyFailed(
            f"{label} refused a statement while {doing}: error {code}{_engine_name(str(failure))}.",
            code="events_refused",
            details={**details, "engine_message": _first_line(str(failure))},
        )
    return DependencyFailed(
        f"{label} did not answer while {doing}.",
        code="events_unreachable",
        details={"engine_message": _first_line(str(failure))},
        retryable=True,
    )


def _engine_name(text: str) -> str:
    names: Iterable[str] = (name for name in _ERROR_NAME.findall(text) if name != "BAD_ARGUMENTS")
    name = next(iter(names), None)
    return f" ({name})" if name else ""


def _first_line(text: str) -> str:
    return text.split("Stack trace")[0].strip().split("\n")[0][:500]


def _upper(label: str) -> str:
    return label[:1].upper() + label[1:]
