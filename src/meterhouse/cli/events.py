"""`meterhouse events`: export and import over HTTP, so they work against any server that the key opens.

Progress goes to stderr, so a file may go to stdout. Exit code 0 says that the whole file went through.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import httpx
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from meterhouse.kernel.errors import DependencyFailed, Invalid, MeterhouseError, NotFound, Unauthenticated

PIECE_BYTES = 256 * 1024
STANDARD = Path("-")
FORMATS = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}
TIMEOUT = httpx.Timeout(30.0, read=None, write=None)


@dataclass(frozen=True)
class Server:
    """Where events come from or go to."""

    url: str
    key: str


def export_events(server: Server, path: Path, *, format: str, filter: str) -> None:
    """Write all events that `filter` means (JSON, as `GET /api/v2/events` reads it) to a file.

    The file appears under its name when it is complete.
    """
    params = {"format": _format(path, format), **({"filter": filter} if filter else {})}
    with _client(server) as http, http.stream("GET", "/api/v1/events/export", params=params) as answer:
        _check(answer)
        total = int(answer.headers["x-rows-total"])
        counter = _RowCounter(params["format"])
        with _target(path) as file, _progress() as progress:
            task = progress.add_task("exported", total=total, rows=f"0/{total} events")
            for piece in answer.iter_raw(PIECE_BYTES):
                file.write(piece)
                progress.update(task, completed=counter.count(piece), rows=f"{counter.rows}/{total} events")
        if counter.counts and counter.rows != total:
            raise DependencyFailed(f"The export ended after {counter.rows} of {total} events; repeat it.")
    print(f"{total} events exported to {_named(path)}.", file=sys.stderr)


def import_events(server: Server, path: Path, *, format: str) -> None:
    """Send a file's events. Events that the server knows already are left alone."""
    with _source(path) as (file, size), _client(server) as http, _progress(by_bytes=True) as progress:
        task = progress.add_task("imported", total=size)
        answer = http.post(
            "/api/v1/events/import",
            params={"format": _format(path, format)},
            content=_pieces(file, progress, task),
            headers={"content-type": "application/octet-stream"},
        )
        _check(answer)
    stored = answer.json()
    print(
        f"{stored['rows']} events imported from {_named(path)}: {stored['inserted']} new, "
        f"{stored['duplicates']} known before.",
        file=sys.stderr,
    )


class _RowCounter:
    """Counts the events in what has come. A Parquet file tells only at its end."""

    def __init__(self, format: str) -> None:
        self.rows = -1 if format == "csv" else 0  # the header is no event
        self.counts = format != "parquet"
        self._quotes_matter = format == "csv"
        self._is_quoted = False

    def count(self, piece: bytes) -> int:
        if self.counts and not self._quotes_matter:
            self.rows += piece.count(b"\n")
        elif self.counts:
            for part in piece.split(b'"'):
                if not self._is_quoted:
                    self.rows += part.count(b"\n")
                self._is_quoted = not self._is_quoted
            self._is_quoted = not self._is_quoted  # there is one quote less than there are parts
        return max(self.rows, 0)


def _pieces(file: BinaryIO, progress: Progress, task: TaskID) -> Iterator[bytes]:
    while piece := file.read(PIECE_BYTES):
        yield piece
        progress.advance(task, len(piece))


@contextmanager
def _client(server: Server) -> Iterator[httpx.Client]:
    """A client with the key; a connection that fails ends as one sentence."""
    if not server.key:
        raise Invalid("An API key is needed: set METERHOUSE_API_KEY or pass --key.")
    headers = {"authorization": f"Bearer {server.key}"}
    try:
        with httpx.Client(base_url=server.url, headers=headers, timeout=TIMEOUT, trust_env=False) as client:
            yield client
    except httpx.InvalidURL as error:
        raise Invalid(f"{server.url} is no address of a server: {error}.") from error
    except httpx.HTTPError as failure:
        text = f"The server at {server.url} did not answer to the end: {failure or type(failure).__name__}."
        raise DependencyFailed(f"{text} Is it running? Repeating the command is safe.") from failure


def _check(answer: httpx.Response) -> None:
    """Turn a refusal into the error that it stands for."""
    if answer.is_success:
        return
    answer.read()
    try:
        detail = str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        detail = f"The server answered {answer.status_code}."
    kinds: dict[int, type[MeterhouseError]] = {401: Unauthenticated, 404: NotFound}
    raise kinds.get(answer.status_code, DependencyFailed if answer.status_code >= 424 else Invalid)(detail)


def _format(path: Path, format: str) -> str:
    found = format or FORMATS.get(path.suffix.lower(), "")
    if not found:
        raise Invalid("The format is not clear from the file's name: pass --format csv, jsonl or parquet.")
    return found


def _named(path: Path) -> str:
    return "standard output" if path == STANDARD else str(path)


@contextmanager
def _target(path: Path) -> Iterator[BinaryIO]:
    if path == STANDARD:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    unfinished = path.with_name(f"{path.name}.part")
    try:
        with unfinished.open("wb") as file:
            yield file
        unfinished.replace(path)
    except OSError as error:
        raise Invalid(f"{path} cannot be written: {error.strerror}.") from error
    finally:
        unfinished.unlink(missing_ok=True)


@contextmanager
def _source(path: Path) -> Iterator[tuple[BinaryIO, int | None]]:
    if path == STANDARD:
        yield sys.stdin.buffer, None
        return
    try:
        file = path.open("rb")
    except OSError as error:
        raise NotFound(f"{path} cannot be read: {error.strerror}.") from error
    with file:
        yield file, path.stat().st_size


def _progress(*, by_bytes: bool = False) -> Progress:
    shown = DownloadColumn() if by_bytes else TextColumn("{task.fields[rows]}")
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        shown,
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )
