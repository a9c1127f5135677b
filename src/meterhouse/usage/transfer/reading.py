"""Files into rows, piece by piece: a reader is fed bytes as they arrive and hands out complete rows.

It raises `LineFault` where a row cannot be read; the rows before it have been handed out by then.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from typing import Protocol

import msgspec

from meterhouse.usage.transfer.rows import ROW_BYTES_MAX, Format, Row, RowFault, check_fields

csv.field_size_limit(max(csv.field_size_limit(), ROW_BYTES_MAX))

BOM = codecs.BOM_UTF8


class LineFault(Exception):
    """A line that is no row."""

    def __init__(self, line: int, fault: RowFault) -> None:
        super().__init__(fault.message)
        self.line = line
        self.fault = fault


class Reader(Protocol):
    """Reads one file."""

    def feed(self, data: bytes, *, is_last: bool = False) -> Iterator[Row]:
        """Take the next bytes and give the rows that end in them."""
        ...


class JsonLines:
    """One JSON object per line; `data` as an object, or as a text that holds one. Blank lines are skipped."""

    class _Line(msgspec.Struct, forbid_unknown_fields=True):
        id: str
        source: str
        type: str
        subject: str
        time: str | None = None
        data: msgspec.Raw = msgspec.Raw()
        origin: str | None = None
        customer_id: str | None = None
        member_id: str | None = None
        external_member_id: str | None = None
        parent_id: str | None = None
        uid: str | None = None
        ingested_at: str | None = None

    def __init__(self) -> None:
        self._rest = b""
        self._line = 0
        self._decode = msgspec.json.Decoder(self._Line).decode
        self._decode_text = msgspec.json.Decoder(str).decode

    def feed(self, data: bytes, *, is_last: bool = False) -> Iterator[Row]:
        lines = (self._rest + data).split(b"\n")
        self._rest = b"" if is_last else lines.pop()
        for line in lines:
            self._line += 1
            if self._line == 1:
                line = line.removeprefix(BOM)
            if line.strip():
                yield self._row(line)
        if len(self._rest) > ROW_BYTES_MAX:
            raise LineFault(self._line + 1, _too_long())

    def _row(self, line: bytes) -> Row:
        try:
            str(line, "utf-8")
            read = self._decode(line)
            given = {name: getattr(read, name) for name in read.__struct_fields__ if name != "data"}
            texts: dict[str, str] = {name: text for name, text in given.items() if text is not None}
            data = bytes(read.data)
            texts["data"] = self._decode_text(data) if data[:1] == b'"' else data.decode()
        except UnicodeDecodeError:
            raise LineFault(self._line, RowFault("is not UTF-8 text")) from None
        except RecursionError:
            raise LineFault(self._line, RowFault("nests too deeply")) from None
        except msgspec.MsgspecError as error:
            raise LineFault(self._line, RowFault(str(error))) from None
        return Row(self._line, texts)


class Csv:
    """Comma-separated values with a header, quoted by doubling. Columns stand in any order."""

    def __init__(self) -> None:
        self._rest = b""
        self._line = 0
        self._names: list[str] = []

    def feed(self, data: bytes, *, is_last: bool = False) -> Iterator[Row]:
        pending = self._rest + data
        end = len(pending) if is_last else _end_of_records(pending)
        self._rest = pending[end:]
        if end:
            yield from self._rows(pending[:end])
        if len(self._rest) > ROW_BYTES_MAX:
            raise LineFault(self._line + 1, RowFault(f"{_too_long().message}; is a closing quote missing?"))
        if is_last and not self._names:
            raise LineFault(1, RowFault("the file is empty: it needs a header"))

    def _rows(self, records: bytes) -> Iterator[Row]:
        before = self._line
        if before == 0:
            records = records.removeprefix(BOM)
        try:
            text = records.decode()
        except UnicodeDecodeError as error:
            line = before + records.count(b"\n", 0, error.start) + 1
            raise LineFault(line, RowFault("is not UTF-8 text")) from None
        reader = csv.reader(io.StringIO(text, newline="\n"), strict=True)
        while True:
            line = before + reader.line_num + 1
            try:
                values = next(reader)
            except StopIteration:
                break
            except csv.Error as error:
                raise LineFault(line, RowFault(f"is no CSV: {error}")) from None
            if values and (row := self._row(line, values)) is not None:
                yield row
        self._line = before + reader.line_num

    def _row(self, line: int, values: list[str]) -> Row | None:
        if not self._names:
            try:
                check_fields(values)
            except RowFault as fault:
                raise LineFault(line, fault) from None
            self._names = values
            return None
        if len(values) != len(self._names):
            text = f"has {len(values)} values, the header has {len(self._names)}"
            raise LineFault(line, RowFault(text))
        return Row(line, dict(zip(self._names, values, strict=True)))


def _end_of_records(pending: bytes) -> int:
    """Where the last complete record ends: behind the last line feed that is outside of quotes."""
    quotes, end = pending.count(b'"'), len(pending)
    while (found := pending.rfind(b"\n", 0, end)) >= 0:
        quotes -= pending.count(b'"', found, end)
        if quotes % 2 == 0:
            return found + 1
        end = found
    return 0


def _too_long() -> RowFault:
    return RowFault(f"is longer than {ROW_BYTES_MAX} bytes")


def reader_of(format: Format) -> Reader:
    """A reader of a text format; Parquet is read from its end, by `parquet`."""
    return Csv() if format == "csv" else JsonLines()
