"""What a strategy promised on its page, and which promises a later page does not keep."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence

from meterhouse.extraction.engine.kinds import kinds_of
from meterhouse.extraction.model import Breach, Contract, Field, Item, Shape

KIND_SHARE_MIN = 0.85
KIND_KEPT_MIN = 0.5
FILL_COUNTED_MIN = 0.5
FILL_KEPT_MIN = 0.3
LENGTH_FACTOR = 4
LENGTH_FACTOR_ALONE = 12
DISTINCT_MIN = 0.7
DISTINCT_KEPT_MIN = 0.2
FEW = 5
RECORDS_KEPT_MIN = 0.1
RECORDS_COUNTED_MIN = 10
VALUES_MAX = 400
# Kinds that a value either has or has not; "text" and "counted" are what is left.
_KINDS = ("money", "date", "time", "duration", "url", "number", "area")


def contract_of(found: Sequence[Item], fields: Mapping[str, Field]) -> Contract:
    """The promises that the items themselves make."""
    shapes = {name: shape for name in fields if (shape := shape_of(_values(found, name))) is not None}
    return Contract(len(found), fill_of(found, fields), shapes)


def fill_of(items: Sequence[Item], names: Iterable[str]) -> dict[str, float]:
    """The share of items that have a value, per field."""
    total = max(1, len(items))
    return {name: round(sum(1 for item in items if item.get(name)) / total, 3) for name in names}


def shape_of(values: Sequence[str]) -> Shape | None:
    if not values:
        return None
    lengths = sorted(len(value) for value in values)
    low, high = lengths[len(lengths) // 20], lengths[-1 - len(lengths) // 20]
    kind = next((kind for kind in _KINDS if _share(kind, values) >= KIND_SHARE_MIN), None)
    return Shape(kind, (low, high), round(len(set(values)) / len(values), 3))


def breaches(contract: Contract, found: Sequence[Item], fields: Mapping[str, Field]) -> list[Breach]:
    """Every promise that the items do not keep; a contract without records promises nothing."""
    if contract.records == 0:
        return []
    broken: list[Breach] = []
    few = contract.records >= RECORDS_COUNTED_MIN and len(found) < RECORDS_KEPT_MIN * contract.records
    if not found or few:
        broken.append(Breach("records", contract.records, len(found)))
    for name in fields:
        if (one := field_breach(contract, name, found)) is not None:
            broken.append(one)
    return broken


def field_breach(contract: Contract, name: str, found: Sequence[Item]) -> Breach | None:
    """The promise about one field that is broken, the gravest first."""
    values = _values(found, name)
    before = contract.fill.get(name, 0.0)
    now = fill_of(found, [name])[name]
    if before >= FILL_COUNTED_MIN and now < before * FILL_KEPT_MIN:
        return Breach("fill", before, now, name)
    shape = contract.shapes.get(name)
    if shape is None or not values:
        return None
    if shape.kind is not None and (share := _share(shape.kind, values)) < KIND_KEPT_MIN:
        return Breach("kind", shape.kind, f"{share:.0%} {shape.kind}", name)
    return _length_breach(shape, values, name, contract.records) or _distinct_breach(shape, values, name)


def _length_breach(shape: Shape, values: Sequence[str], name: str, records: int) -> Breach | None:
    middle = statistics.median(len(value) for value in values)
    factor = LENGTH_FACTOR if records >= FEW else LENGTH_FACTOR_ALONE
    low, high = shape.length
    if middle > factor * max(high, 8) or middle * factor < min(low, 60):
        return Breach("length", f"{low} to {high}", round(middle), name)
    return None


def _distinct_breach(shape: Shape, values: Sequence[str], name: str) -> Breach | None:
    share = len(set(values)) / len(values)
    if len(values) >= FEW and shape.distinct >= DISTINCT_MIN and share < DISTINCT_KEPT_MIN:
        return Breach("distinct", shape.distinct, round(share, 3), name)
    return None


def _values(found: Sequence[Item], name: str) -> list[str]:
    values: list[str] = []
    for item in found[:VALUES_MAX]:
        value = item.get(name)
        values.extend(str(one) for one in (value if isinstance(value, list) else [value]) if one)
    return values


def _share(kind: str, values: Sequence[str]) -> float:
    return sum(1 for value in values if kind in kinds_of(value)) / len(values)
