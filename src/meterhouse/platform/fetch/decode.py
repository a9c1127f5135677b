"""Undoing Content-Encoding piece by piece, so that nothing inflates further than somebody reads."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence

ACCEPT_ENCODING = "gzip, deflate"
PIECE_BYTES_MAX = 65_536
LAYERS_MAX = 3
MEMBERS_MAX = 2_000

_GZIP_MAGIC = b"\x1f\x8b"


class DecodeFailed(Exception):
    """The body is not what its Content-Encoding says; the text is a clause without a full stop."""


class _Inflater:
    """Common part of the two formats: a zlib stream read in pieces of at most `PIECE_BYTES_MAX`."""

    def __init__(self, window_bits: int) -> None:
        self._window_bits = window_bits
        self._stream = zlib.decompressobj(window_bits)
        self._started = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield what `data` inflates to. Work is done only as far as the caller iterates."""
        while data and not self._stream.eof:
            self._started = True
            try:
                piece = self._stream.decompress(data, PIECE_BYTES_MAX)
            except zlib.error as error:
                raise DecodeFailed(f"its compressed data is damaged ({error})") from None
            data = self._stream.unconsumed_tail
            if piece:
                yield piece
            elif not data:
                return

    def finish(self) -> Iterator[bytes]:
        """Yield what is still held back; raises `DecodeFailed` when the end of the stream is missing.

        No input at all is an empty body: servers send it with answers that have none.
        """
        while self._started and not self._stream.eof:
            # Output may be held back when the last piece was cut at its limit with all input consumed.
            try:
                piece = self._stream.decompress(b"", PIECE_BYTES_MAX)
            except zlib.error:
                piece = b""
            if not piece:
                raise DecodeFailed("its compressed data ends too early")
            yield piece


class _Gzip(_Inflater):
    """One or more gzip members; anything else after a member (padding) is ignored.

    A body made of many tiny members is refused: it costs far more work than its size shows.
    """

    def __init__(self) -> None:
        super().__init__(zlib.MAX_WBITS | 16)
        self._members = 1
        self._between = b""
        self._ignoring = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        data, self._between = self._between + data, b""
        while data and not self._ignoring:
            if self._stream.eof:
                if len(data) < len(_GZIP_MAGIC):
                    self._between = data
                    return
                if not data.startswith(_GZIP_MAGIC):
                    self._ignoring = True
                    return
                self._members += 1
                if self._members > MEMBERS_MAX:
                    raise DecodeFailed(f"it consists of more than {MEMBERS_MAX} gzip members")
                self._stream = zlib.decompressobj(self._window_bits)
            yield from super().feed(data)
            data = self._stream.unused_data


class _Deflate(_Inflater):
    """A zlib stream, or the bare deflate data that some servers send under the same name."""

    def __init__(self) -> None:
        super().__init__(zlib.MAX_WBITS)
        self._head = b""
        self._decided = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        if not self._decided:
            self._head += data
            if len(self._head) < 2:
                return
            data, self._head, self._decided = self._head, b"", True
            # A zlib header names method 8 and is a multiple of 31 (RFC 1950, 2.2).
            if data[0] & 0x0F != 8 or int.from_bytes(data[:2]) % 31:
                self._stream = zlib.decompressobj(-zlib.MAX_WBITS)
        yield from super().feed(data)

    def finish(self) -> Iterator[bytes]:
        if self._head:
            raise DecodeFailed("its compressed data ends too early")
        yield from super().finish()


class BodyDecoder:
    """Undoes the encodings of one body, outermost first.

    Raises `DecodeFailed` for an encoding that was not asked for, and for more than `LAYERS_MAX`.
    """

    def __init__(self, content_encoding: str = "") -> None:
        names = [name.strip().lower() for name in content_encoding.split(",")]
        names = [name for name in names if name not in ("", "identity")]
        if len(names) > LAYERS_MAX:
            raise DecodeFailed(f"it is encoded more than {LAYERS_MAX} times over")
        self._layers = tuple(_layer(name) for name in reversed(names))

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the decoded pieces of `data`, lazily: what is not iterated is not inflated."""
        return _through(data, self._layers)

    def finish(self) -> Iterator[bytes]:
        """Yield what remained; raises `DecodeFailed` when the body was cut."""
        for depth, layer in enumerate(self._layers):
            for piece in layer.finish():
                yield from _through(piece, self._layers[depth + 1 :])


def _through(data: bytes, layers: Sequence[_Inflater]) -> Iterator[bytes]:
    if not layers:
        yield data
        return
    for piece in layers[0].feed(data):
        yield from _through(piece, layers[1:])


def _layer(name: str) -> _Inflater:
    if name in ("gzip", "x-gzip"):
        return _Gzip()
    if name == "deflate":
        return _Deflate()
    raise DecodeFailed(f"it is encoded as {name[:40]!r}, which was not asked for")
