"""Files to events, in order and in blocks: a bad row ends the import, and all rows before it are stored.

Nothing is stored twice: identities in a file make a repeated import a no-op. The way out of a failure is
to correct the file, or wait, and import the whole of it again.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from meterhouse.kernel.errors import DependencyFailed, Invalid, Issue
from meterhouse.usage.model import Event
from meterhouse.usage.transfer.parquet import ParquetRows
from meterhouse.usage.transfer.reading import LineFault, reader_of
from meterhouse.usage.transfer.rows import Format, Reception, Row, RowFault, event_from_row

BLOCK_ROWS = 5_000
BLOCK_BYTES_MAX = 8 * 1024 * 1024
FEED_BYTES = 1024 * 1024
SPOOL_BYTES = 16 * 1024 * 1024


class Sink(Protocol):
    """Where events go: the ingestor."""

    async def submit(self, events: list[Event]) -> list[bool]: ...


@dataclass
class ImportCounts:
    """Rows stored so far: new ones, and repeats of what was stored before. `total` is in all, once known."""

    rows: int = 0
    inserted: int = 0
    total: int = 0

    @property
    def duplicates(self) -> int:
        return self.rows - self.inserted


Heard = Callable[[ImportCounts], Awaitable[None]]


async def unheard(counts: ImportCounts) -> None:
    """Where nobody wants to hear of progress."""


async def import_events(
    sink: Sink,
    chunks: AsyncIterator[bytes],
    *,
    format: Format,
    reception: Reception,
    counts: ImportCounts,
    heard: Heard = unheard,
) -> None:
    """Store the events of a file that arrives as `chunks`; `heard` is told of `counts` after each block.

    Raises `Invalid` at the first bad row, naming its line and what is stored, and `DependencyFailed` when the
    store fails on the way.
    """
    rows = _parquet_rows(chunks, counts) if format == "parquet" else _text_rows(chunks, format)
    block = _Block(sink, reception, counts, heard)
    try:
        async for some in rows:
            await block.take(some)
        await block.store()
        counts.total = counts.rows
    except LineFault as fault:
        await block.store()
        raise _bad_row(fault, format, counts) from None
    except DependencyFailed as failure:
        message = f"{failure.message} {_stored(counts)} Import the same file again."
        raise DependencyFailed(message, failure.code, failure.details, failure.retryable) from failure


class _Block:
    """Events on their way, stored together."""

    def __init__(self, sink: Sink, reception: Reception, counts: ImportCounts, heard: Heard) -> None:
        self._sink = sink
        self._heard = heard
        self._reception = reception
        self._counts = counts
        self._events: list[Event] = []
        self._bytes = 0

    async def take(self, rows: list[Row]) -> None:
        """Add rows, storing whenever there are enough. Raises `LineFault`, good rows before it kept."""
        start = 0
        while start < len(rows):
            start = await asyncio.to_thread(self._fill, rows, start)
            if len(self._events) >= BLOCK_ROWS or self._bytes >= BLOCK_BYTES_MAX:
                await self.store()

    def _fill(self, rows: list[Row], start: int) -> int:
        for index in range(start, len(rows)):
            row = rows[index]
            try:
                self._events.append(event_from_row(row, self._reception))
            except RowFault as fault:
                raise LineFault(row.line, fault) from None
            self._bytes += sum(map(len, row.texts.values()))
            if len(self._events) >= BLOCK_ROWS or self._bytes >= BLOCK_BYTES_MAX:
                return index + 1
        return len(rows)

    async def store(self) -> None:
        events, self._events, self._bytes = self._events, [], 0
        if events:
            is_new = await self._sink.submit(events)
            self._counts.rows += len(events)
            self._counts.inserted += sum(is_new)
            await self._heard(self._counts)


async def _text_rows(chunks: AsyncIterator[bytes], format: Format) -> AsyncIterator[list[Row]]:
    reader = reader_of(format)
    fault: list[LineFault] = []

    def read(data: bytes, *, is_last: bool) -> list[Row]:
        rows: list[Row] = []
        try:
            for row in reader.feed(data, is_last=is_last):
                rows.append(row)
        except LineFault as found:
            fault.append(found)
        return rows

    async for data in _gathered(chunks):
        yield await asyncio.to_thread(read, data, is_last=False)
        if fault:
            raise fault[0]
    yield await asyncio.to_thread(read, b"", is_last=True)
    if fault:
        raise fault[0]


async def _gathered(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Join small chunks: a turn of the reader costs more than reading a few of them."""
    parts: list[bytes] = []
    size = 0
    async for chunk in chunks:
        parts.append(chunk)
        size += len(chunk)
        if size >= FEED_BYTES:
            yield b"".join(parts)
            parts, size = [], 0
    if parts:
        yield b"".join(parts)


async def _parquet_rows(chunks: AsyncIterator[bytes], counts: ImportCounts) -> AsyncIterator[list[Row]]:
    with tempfile.SpooledTemporaryFile(max_size=SPOOL_BYTES) as file:
        async for chunk in _gathered(chunks):
            await asyncio.to_thread(file.write, chunk)
        file.seek(0)
        opened = await asyncio.to_thread(ParquetRows, file)
        counts.total = opened.count
        rows = iter(opened)
        while True:
            some, fault = await asyncio.to_thread(_some, rows)
            if some:
                yield some
            if fault is not None:
                raise fault
            if not some:
                return


def _some(rows: Iterator[Row]) -> tuple[list[Row], LineFault | None]:
    some: list[Row] = []
    size = 0
    try:
        for row in rows:
            some.append(row)
            size += sum(map(len, row.texts.values()))
            if len(some) >= BLOCK_ROWS or size >= BLOCK_BYTES_MAX:
                break
    except LineFault as fault:
        return some, fault
    return some, None


def _bad_row(fault: LineFault, format: Format, counts: ImportCounts) -> Invalid:
    unit = "row" if format == "parquet" else "line"
    field = f"{fault.fault.field} " if fault.fault.field else ""
    message = (
        f"{unit} {fault.line}: {field}{fault.fault.message}. {_stored(counts)} "
        "Correct the file and import it again; what is stored will not count twice."
    )
    path: tuple[str | int, ...] = (
        (unit, fault.line, fault.fault.field) if fault.fault.field else (unit, fault.line)
    )
    issue = Issue(path, fault.fault.message, "bad_row")
    details = {"rows": counts.rows, "inserted": counts.inserted, unit: fault.line}
    return Invalid(message, "bad_row", details, issues=[issue])


def _stored(counts: ImportCounts) -> str:
    if not counts.rows:
        return "Nothing of the file is stored."
    return (
        f"The {counts.rows} rows before are stored ({counts.inserted} new, {counts.duplicates} known before)."
    )
