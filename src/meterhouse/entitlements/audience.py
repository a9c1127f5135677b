"""Who hears of which events: the balances that are kept in memory, by customer and meter."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from meterhouse.entitlements.standing import Standing
from meterhouse.entitlements.terms import Terms
from meterhouse.usage.block import EventRow
from meterhouse.usage.engine.ranges import Usage
from meterhouse.usage.engine.reading import Added, RowReader
from meterhouse.usage.model import Identities, StringFilter

Place = tuple[bytes, str, str | None]
"""Organisation, owner and type of events; `None` is any type."""
Common = tuple[UUID, datetime | None, Identities]
"""Meter, when it was last changed, and customer."""


def common_of(usage: Usage) -> Common:
    """What a usage has in common with others that read the same of the same events."""
    return usage.meter.id, usage.meter.modified_at, usage.customer


class Watch:
    """One entitlement's place among the standings. Events heard of while its standing is made are `pending`.

    `upto` and `version` are the newest event and correction that it takes into account, where others than
    this process may store some.
    """

    def __init__(self, terms: Terms, upto: int, version: int) -> None:
        assert terms.usage is not None
        self.terms = terms
        self.usage = terms.usage
        self.upto = upto
        self.version = version
        self.standing: Standing | None = None
        self.making: asyncio.Task[None] | None = None
        self.turn = asyncio.Lock()
        self.caught_up_at = 0.0
        self.is_untyped = terms.usage.meter.event_type is None
        self._pending: list[Added] = []

    def take(self, added: Added) -> None:
        """Take in an event. Raises `Lost`."""
        if self.standing is None:
            self._pending.append(added)
        else:
            self.standing.add(added)

    def stand(self, standing: Standing) -> None:
        """Begin to answer. Raises `Lost` when something came too late meanwhile."""
        for added in self._pending:
            standing.add(added)
        self._pending.clear()
        self.standing = standing

    @property
    def audience(self) -> Common:
        return common_of(self.usage)

    @property
    def places(self) -> list[Place]:
        """Organisation, owner and type of the events that it wants to hear of."""
        usage = self.usage
        organisation, kind = usage.meter.organisation_id.bytes, usage.meter.event_type
        owners = (*usage.customer.customer_ids, *usage.customer.external_ids)
        return [(organisation, owner, kind) for owner in dict.fromkeys(owners)]


class Audience:
    """The watches of one customer on one meter: an event is read once for all of them.

    Those whose feature wants one value of a group-by are found by that value.
    """

    def __init__(self, watch: Watch) -> None:
        assert watch.usage is not None
        self._usage = watch.usage
        self.watches: dict[UUID, Watch] = {}
        self._reader: RowReader | None = None
        self._others: list[Watch] = []
        self._by_text: dict[str, dict[str, list[Watch]]] = {}

    def join(self, watch: Watch) -> None:
        self.watches[watch.terms.entitlement.id] = watch
        self._reader = None

    def leave(self, watch: Watch) -> None:
        self.watches.pop(watch.terms.entitlement.id, None)
        self._reader = None

    def hear(self, row: EventRow) -> list[tuple[Watch, Added]]:
        """Whose usage an event is, and what it adds."""
        reader = self._reader or self._prepare()
        opened = reader.open(row)
        if opened is None:
            return []
        meant = list(self._others)
        for key, by_text in self._by_text.items():
            meant += by_text.get(opened.text(key), ())
        return [(watch, opened.added) for watch in meant if opened.passes(watch.usage.group_filters)]

    def _prepare(self) -> RowReader:
        self._others, self._by_text = [], {}
        for watch in self.watches.values():
            filters = watch.usage.group_filters
            key = next((key for key, asked in filters.items() if asked.operator == "eq"), None)
            if key is None:
                self._others.append(watch)
            else:
                texts = self._by_text.setdefault(key, {})
                texts.setdefault(str(filters[key].value), []).append(watch)
        asked_by_any: dict[str, StringFilter] = {}
        for watch in self.watches.values():
            asked_by_any |= watch.usage.group_filters
        self._reader = RowReader(replace(self._usage, group_filters=asked_by_any))
        return self._reader
