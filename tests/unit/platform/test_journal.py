"""What a journal holds after anything that can happen to its file."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterhouse.platform import journal as module
from meterhouse.platform.journal import Journal

HEAD = 16


def reopened(path: Path) -> list[bytes]:
    journal = Journal(path)
    journal.close()
    return journal.pieces


@given(
    pieces=st.lists(st.binary(max_size=60), max_size=8),
    cut=st.integers(0, 700),
    tail=st.sampled_from([b"", b"\0" * 5, b"\0" * 40]),
)
def test_a_file_cut_anywhere_holds_the_pieces_before(pieces: list[bytes], cut: int, tail: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal"
        journal = Journal(path)
        for piece in pieces:
            journal.append(piece)
        journal.close()
        path.write_bytes(path.read_bytes()[:cut] + tail)

        ends = [sum(HEAD + len(piece) for piece in pieces[:count]) for count in range(len(pieces) + 1)]
        whole = pieces[: max(place for place, end in enumerate(ends) if end <= cut)]
        again = Journal(path)
        held = list(again.pieces)
        assert held[: len(whole)] == whole
        assert held == pieces[: len(held)]  # zeros may be just what was cut off
        again.append(b"new")
        again.close()
        assert reopened(path) == [*held, b"new"]


def test_cleared_is_cleared(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    journal.append(b"old")
    journal.clear()
    assert reopened(journal.path) == []
    journal.append(b"new")
    journal.close()
    assert reopened(journal.path) == [b"new"]


def test_damage_is_no_torn_end(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    for piece in (b"first", b"second", b"third"):
        journal.append(piece)
    journal.close()
    content = bytearray(journal.path.read_bytes())
    content[HEAD + 5 + HEAD] ^= 1
    journal.path.write_bytes(content)

    with pytest.raises(OSError, match="damaged at byte 21"):
        Journal(journal.path)


def test_nothing_remains_of_a_piece_that_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(file: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    journal = Journal(tmp_path / "journal")
    journal.append(b"one")
    with monkeypatch.context() as patch, pytest.raises(OSError, match="No space left"):
        patch.setattr(module, "_sync", full)
        journal.append(b"failed")
    assert reopened(journal.path) == [b"one", b"failed"]  # it may be there until it is cut off
    journal.append(b"two")
    journal.close()
    assert reopened(journal.path) == [b"one", b"two"]
