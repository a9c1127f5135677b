"""Which thresholds of a balance are crossed, and which crossing is told (openmeter 8.3)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, localcontext
from enum import StrEnum
from typing import Literal

from meterhouse.entitlements.model import Balance
from meterhouse.kernel.exact import EXACT


class ThresholdType(StrEnum):
    USAGE_PERCENTAGE = "usage_percentage"
    USAGE_VALUE = "usage_value"
    BALANCE_VALUE = "balance_value"


ThresholdKind = Literal["usage", "balance"]


@dataclass(frozen=True)
class Threshold:
    """A mark on usage (a value, or a percentage of what is available in the period) or on the balance."""

    type: ThresholdType
    value: Decimal

    @property
    def kind(self) -> ThresholdKind:
        return "balance" if self.type is ThresholdType.BALANCE_VALUE else "usage"


@dataclass(frozen=True)
class Standing:
    """Of the crossed thresholds the one that counts, of either kind."""

    usage: Threshold | None = None
    balance: Threshold | None = None

    def of(self, kind: ThresholdKind) -> Threshold | None:
        return self.usage if kind == "usage" else self.balance


def standing(thresholds: Iterable[Threshold], balance: Balance) -> Standing:
    """The highest crossed usage threshold (a percentage on ties) and the lowest crossed balance threshold.

    Nothing is crossed while nothing is available.
    """
    if not balance.total_available:
        return Standing()
    with localcontext(EXACT):
        usage, left = [], []
        for threshold in thresholds:
            if threshold.type is ThresholdType.BALANCE_VALUE:
                if balance.balance < threshold.value or balance.balance <= 0:
                    left.append(threshold)
                continue
            is_percentage = threshold.type is ThresholdType.USAGE_PERCENTAGE
            mark = threshold.value * balance.total_available / 100 if is_percentage else threshold.value
            if mark < balance.usage:
                usage.append((mark, is_percentage, threshold))
    highest = max(usage, key=lambda crossed: crossed[:2], default=None)
    lowest = min(left, key=lambda threshold: threshold.value, default=None)
    return Standing(highest[2] if highest else None, lowest)


def is_news(last_told: Threshold | None, now: Threshold | None) -> bool:
    """Whether a standing is to be told, after what was last told of its kind in the same usage period."""
    return now is not None and now != last_told
