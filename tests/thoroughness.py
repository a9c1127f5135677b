"""How long property tests look: `METERHOUSE_THOROUGH=10` tries ten times as many examples."""

from __future__ import annotations

import os

_FACTOR = int(os.environ.get("METERHOUSE_THOROUGH", "1"))


def examples(count: int) -> int:
    """How many examples a test tries that tries `count` in the suite."""
    return count * _FACTOR
