"""Credits and quantities as JSON numbers; inside they are exact decimals."""

from __future__ import annotations

from decimal import Decimal


def amount_from_wire(number: int | float) -> Decimal:
    """Read a number as it was written: 0.1 is a tenth, not the double that stands for it."""
    return Decimal(repr(number))


def number_to_wire(exact: Decimal) -> int | float:
    """Write a whole number without a point, any other as the nearest double."""
    if exact == exact.to_integral_value() and abs(exact) < 2**63:
        return int(exact)
    return float(exact)
