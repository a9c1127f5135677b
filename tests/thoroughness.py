"""How long property tests look: `METERHOUSE_THOROUGH=10` tries ten times as many examples, drawn anew."""

from __future__ import annotations

import os

from hypothesis import settings

_FACTOR = int(os.environ.get("METERHOUSE_THOROUGH", "1"))

# The same examples everywhere, however slow the machine: the suite then speaks of a change, and not of luck.
settings.register_profile("suite", derandomize=True, deadline=None)
settings.register_profile("thorough", deadline=None)


def load_profile() -> None:
    """Choose how examples are drawn. Test modules take their settings when imported."""
    settings.load_profile("suite" if _FACTOR == 1 else "thorough")


def examples(count: int) -> int:
    """How many examples a test tries that tries `count` in the suite."""
    return count * _FACTOR
