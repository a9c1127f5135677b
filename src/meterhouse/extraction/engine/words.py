"""Word tables written as running text."""

from __future__ import annotations


def words_of(text: str) -> list[str]:
    return text.split()
