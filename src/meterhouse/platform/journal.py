"""A journal: pieces of bytes in one file, each of them on disk before `append` returns.

A piece is a mark, its length, its checksum and itself. One that is not whole, because the process ended while
it was written, is the last one: nothing is written after it, so nothing that was promised can follow it.
"""

from __future__ import annotations

import errno
import os
import struct
import zlib
from pathlib import Path

_MARK = b"MhJ\x01"
_HEAD = struct.Struct("<4sQI")
# Not everywhere, and all that it leaves out is the time of the file.
_sync = getattr(os, "fdatasync", os.fsync)


class Journal:
    """One file, made if it is missing. Not for two threads at once, nor for two processes."""

    def __init__(self, path: Path) -> None:
        """`pieces` is what the file holds. Raises `OSError` when it cannot be made or read, or is damaged."""
        self.path = path
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        _sync_folder(path.parent)
        self.pieces, self._end = _read(path)
        self._is_torn = True

    @property
    def is_clear(self) -> bool:
        """Whether nothing is in the file, not even a torn end."""
        return self._end == 0 and not self._is_torn

    def append(self, piece: bytes) -> None:
        """Write a piece. Raises `OSError`; then `mend` must succeed before the next."""
        self.mend()
        self._is_torn = True
        record = _HEAD.pack(_MARK, len(piece), zlib.crc32(piece)) + piece
        written = 0
        while written < len(record):
            written += os.pwrite(self._file, record[written:], self._end + written)
        _sync(self._file)
        self._end += len(record)
        self._is_torn = False

    def clear(self) -> None:
        """Forget all pieces. Raises `OSError`; then they may still be there at the next start."""
        self._is_torn = True
        self._end = 0
        self.mend()

    def mend(self) -> None:
        """Make sure that nothing remains of a piece whose writing failed. Raises `OSError`."""
        if self._is_torn:
            os.ftruncate(self._file, self._end)
            os.fsync(self._file)
            self._is_torn = False

    def close(self) -> None:
        os.close(self._file)


def _read(path: Path) -> tuple[list[bytes], int]:
    """The whole pieces of a file, and where the last of them ends.

    What is not whole may only be the last. With a whole one behind it, it is damage: that was promised to
    somebody, and so was this.
    """
    content = path.read_bytes()
    pieces, at = [], 0
    while (piece := _piece_at(content, at)) is not None:
        pieces.append(piece)
        at += _HEAD.size + len(piece)
    place = content.find(_MARK, at + 1)
    while place >= 0:
        if _piece_at(content, place) is not None:
            raise OSError(errno.EIO, f"it is damaged at byte {at}; restore it from a backup")
        place = content.find(_MARK, place + 1)
    return pieces, at


def _piece_at(content: bytes, at: int) -> bytes | None:
    if at + _HEAD.size > len(content):
        return None
    mark, length, checksum = _HEAD.unpack_from(content, at)
    piece = content[at + _HEAD.size : at + _HEAD.size + length]
    return piece if mark == _MARK and len(piece) == length and zlib.crc32(piece) == checksum else None


def _sync_folder(folder: Path) -> None:
    """Make sure that a file just made in a folder is found there after a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
