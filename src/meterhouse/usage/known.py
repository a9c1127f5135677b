"""Meters as they were last seen here: good enough to begin with, never to answer with.

A question goes to the event store while its meter is still looked up. The answer counts if the meter turns
out to be what it was taken for, so what is kept here may be old without any answer ever being so.
"""

from __future__ import annotations

from collections import OrderedDict
from uuid import UUID

from meterhouse.usage.model import Meter

METERS_MAX = 1_000


class KnownMeters:
    """Meters by organisation and the word they were asked for, the longest unused forgotten first."""

    def __init__(self) -> None:
        self._meters: OrderedDict[tuple[UUID, str], Meter] = OrderedDict()

    def find(self, organisation_id: UUID, id_or_slug: str) -> Meter | None:
        return self._meters.get((organisation_id, id_or_slug))

    def learn(self, id_or_slug: str, meter: Meter) -> None:
        """Take note of a meter as it was found under a word."""
        key = meter.organisation_id, id_or_slug
        self._meters[key] = meter
        self._meters.move_to_end(key)
        if len(self._meters) > METERS_MAX:
            self._meters.popitem(last=False)
