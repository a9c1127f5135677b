"""Patterns of addresses: `*` stands for anything, `?` for one character. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlsplit

from meterhouse.kernel.errors import Invalid, Issue

LENGTH_MAX = 1_000


@dataclass(frozen=True)
class Glob:
    """One pattern. Matching takes time proportional to the address, whatever the pattern is."""

    text: str

    @classmethod
    def parse(cls, text: str, *, name: str) -> Glob:
        """Raises `Invalid` naming the field."""
        shown = text.strip()
        fault = ""
        if not shown:
            fault = "is empty; give a pattern such as */products/*"
        elif len(shown) > LENGTH_MAX:
            fault = f"must be at most {LENGTH_MAX} characters"
        if fault:
            raise Invalid(f"{name} {fault}.", issues=(Issue((name,), fault, input=shown[:200]),))
        return cls(shown)

    def matches(self, url: str) -> bool:
        parts = urlsplit(url)
        path = parts.path or "/"
        query = f"{path}?{parts.query}" if parts.query else path
        return any(self._pattern.fullmatch(candidate) for candidate in (url, query, path))

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        text = self.text if self.text.startswith(("/", "*")) or "://" in self.text else f"*/{self.text}"
        first, *rest = (
            ".".join(re.escape(piece) for piece in part.split("?")) for part in re.split(r"\*+", text)
        )
        if not rest:
            return re.compile(first, re.DOTALL)
        # Each piece takes its first place and keeps it: there is nothing to try again.
        middle = "".join(f"(?>.*?{piece})" for piece in rest[:-1])
        return re.compile(f"{first}{middle}.*{rest[-1]}", re.DOTALL)
