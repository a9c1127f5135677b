"""Decimals that never round: sums of credits and usage are exact or an error, never nearly right."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, Inexact, InvalidOperation, localcontext
from fractions import Fraction

from meterhouse.kernel.errors import InvariantBroken

EXACT = Context(prec=10_000, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[Inexact, InvalidOperation])
"""Room for sums of any doubles (from 1e308 down to 5e-324); what would need rounding is refused."""


def exact_sum(amounts: Iterable[Decimal]) -> Decimal:
    """Add up without rounding, whatever the context of the caller."""
    with localcontext(EXACT):
        return sum(amounts, Decimal(0))


def decimal_from(fraction: Fraction) -> Decimal:
    """The same number as a decimal. Raises `InvariantBroken` when it has no end, as a third."""
    denominator = fraction.denominator
    if denominator == 1:
        return Decimal(fraction.numerator)
    twos = (denominator & -denominator).bit_length() - 1
    rest, fives = denominator >> twos, 0
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    if rest != 1:
        raise InvariantBroken(f"{fraction} has no exact decimal")
    places = max(twos, fives)
    with localcontext(EXACT):
        return Decimal(fraction.numerator * 2 ** (places - twos) * 5 ** (places - fives)).scaleb(-places)
