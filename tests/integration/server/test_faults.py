"""A few kills under mixed load; `make soak` makes fifty."""

from __future__ import annotations

from pathlib import Path

from tests.faults import run


def test_kills_lose_nothing_and_repeat_nothing(tmp_path: Path) -> None:
    counts = run(tmp_path, ["server", "everything"], seed=7)
    assert all(counts.values()), f"the load left something out: {counts}"
