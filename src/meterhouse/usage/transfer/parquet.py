"""Parquet both ways. Its table of contents comes last, so a file is kept on disk before it is read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from meterhouse.usage.transfer.reading import LineFault
from meterhouse.usage.transfer.rows import FIELDS, Row, RowFault, check_fields

BATCH_ROWS = 5_000
BATCH_BYTES_MAX = 64 * 1024 * 1024
GROUP_BYTES_MAX = 2 * 1024 * 1024 * 1024

INSTANTS = ("time", "ingested_at")
SCHEMA = pa.schema(
    [(name, pa.timestamp("us", "UTC") if name in INSTANTS else pa.string()) for name in FIELDS]
)


class ParquetRows:
    """The rows of a file, in order. Raises `LineFault` at once for a file that cannot be read."""

    def __init__(self, file: IO[bytes]) -> None:
        try:
            texts = [name for name in pq.read_schema(file).names if name not in INSTANTS]
            file.seek(0)
            self._file = pq.ParquetFile(file, read_dictionary=texts, pre_buffer=False, buffer_size=1 << 20)
            check_fields(self._file.schema_arrow.names)
        except RowFault as fault:
            raise LineFault(1, fault) from None
        except (pa.ArrowException, OSError, ValueError) as error:
            raise LineFault(1, RowFault(f"the file is no Parquet: {_first_line(error)}")) from None
        self.count: int = self._file.metadata.num_rows
        self._check_groups()

    def _check_groups(self) -> None:
        row = 1
        for index in range(self._file.metadata.num_row_groups):
            group = self._file.metadata.row_group(index)
            if group.total_byte_size > GROUP_BYTES_MAX:
                text = f"a row group is larger than {GROUP_BYTES_MAX} bytes; write smaller ones"
                raise LineFault(row, RowFault(text))
            row += group.num_rows

    def __iter__(self) -> Iterator[Row]:
        line = 0
        batches = self._file.iter_batches(batch_size=BATCH_ROWS, use_threads=False)
        while True:
            try:
                batch = next(batches, None)
            except (pa.ArrowException, OSError) as error:
                raise LineFault(line + 1, RowFault(f"cannot be read: {_first_line(error)}")) from None
            if batch is None:
                return
            for part in _parts(batch):
                for texts in _texts(part, line):
                    line += 1
                    yield Row(line, texts)


def _parts(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """Cut a batch until the texts of a part fit in memory: equal texts are stored once and may be many."""
    size = sum(_text_bytes(column) for column in batch.columns)
    if size <= BATCH_BYTES_MAX or batch.num_rows <= 1:
        yield batch
        return
    half = batch.num_rows // 2
    yield from _parts(batch.slice(0, half))
    yield from _parts(batch.slice(half))


def _text_bytes(column: pa.Array) -> int:
    if not isinstance(column, pa.DictionaryArray):
        return int(column.nbytes)
    lengths = pc.binary_length(column.dictionary.cast(pa.large_binary()))
    return int(pc.sum(lengths.take(column.indices)).as_py() or 0)


def _texts(batch: pa.RecordBatch, line: int) -> Iterator[dict[str, str]]:
    names = batch.schema.names
    columns = [_column(name, column, line) for name, column in zip(names, batch.columns, strict=True)]
    for values in zip(*columns, strict=True):
        yield {name: value for name, value in zip(names, values, strict=True) if value is not None}


def _column(name: str, column: pa.Array, line: int) -> list[Any]:
    """The values of a column as texts, nothing as `None`. Raises `LineFault` for another type."""
    kind = column.type.value_type if isinstance(column, pa.DictionaryArray) else column.type
    plain = column.dictionary_decode() if isinstance(column, pa.DictionaryArray) else column
    try:
        if pa.types.is_timestamp(kind) and kind.tz is not None:
            exact = pc.cast(plain, pa.timestamp("us", "UTC"))
            return list(pc.strftime(exact, "%Y-%m-%dT%H:%M:%SZ").to_pylist())
        if pa.types.is_null(kind):
            return [None] * len(plain)
        if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_binary(kind):
            return list(plain.cast(pa.large_string()).to_pylist())
    except pa.ArrowException as error:
        raise LineFault(line + 1, RowFault(_first_line(error), name)) from None
    wanted = "a timestamp with a time zone, or texts" if name in INSTANTS else "texts"
    raise LineFault(line + 1, RowFault(f"must hold {wanted}, not {kind}", name))


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


class ParquetWriter:
    """Writes tables of `SCHEMA` and gives the bytes as they become final."""

    def __init__(self) -> None:
        self._sink = _Sink()
        self._writer = pq.ParquetWriter(self._sink, SCHEMA, compression="zstd")

    def write(self, table: pa.Table) -> bytes:
        self._writer.write_table(table.cast(SCHEMA))
        return self._sink.take()

    def finish(self) -> bytes:
        self._writer.close()
        return self._sink.take()


class _Sink:
    """A file that only grows, and forgets what has been taken."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._length = 0
        self.closed = False

    def write(self, data: Any) -> int:
        part = bytes(data)
        self._parts.append(part)
        self._length += len(part)
        return len(part)

    def tell(self) -> int:
        return self._length

    def flush(self) -> None:
        pass

    def close(self) -> None:
        self.closed = True

    def writable(self) -> bool:
        return True

    def readable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return False

    def take(self) -> bytes:
        taken = b"".join(self._parts)
        self._parts.clear()
        return taken
