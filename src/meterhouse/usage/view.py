"""The event store as everybody but ingest reads it: with corrections made, and with rollups at hand.

Queries are written against `events` as if corrections were made in place. While there are none that is what
they read; otherwise the table's name stands for the events that were not removed and the replacements. A
query goes by one number of corrections throughout, so one made meanwhile is seen whole or not at all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import pyarrow as pa

from meterhouse.kernel.errors import DependencyFailed
from meterhouse.platform.ports import EventStore, Rows
from meterhouse.usage.answers import Answers
from meterhouse.usage.corrections import NOTHING_CORRECTED, Change, Corrected, Corrections
from meterhouse.usage.engine.columns import EVENT_COLUMNS, SEQ
from meterhouse.usage.engine.rolled import VERSION_PARAMETER
from meterhouse.usage.engine.rollups import Rollup
from meterhouse.usage.model import Meter
from meterhouse.usage.newest import NewestEvents
from meterhouse.usage.owner_hours import OwnerHours
from meterhouse.usage.rollups import Rollups

_NAMES = ", ".join((*EVENT_COLUMNS, "key"))
_REMOVED = f"SELECT key, removed_uid FROM corrections WHERE version <= {VERSION_PARAMETER}"  # noqa: S608
_CORRECTED = (
    f"(SELECT {_NAMES}, {SEQ} FROM events WHERE (key, uid) NOT IN ({_REMOVED}) "  # noqa: S608
    # A replacement is newer than anything that was derived from raw events.
    f"UNION ALL SELECT {_NAMES}, toUInt64(18446744073709551615) AS {SEQ} FROM corrections "
    f"WHERE version <= {VERSION_PARAMETER} AND NOT is_deletion AND (key, uid) NOT IN ({_REMOVED}))"
)
_TABLE = re.compile(r"\bFROM events\b(?! AS)")
_NAMED_TABLE = re.compile(r"\bFROM events AS\b")


def corrected(sql: str) -> str:
    """The same query over what stands after all corrections."""
    return _TABLE.sub(f"FROM {_CORRECTED} AS events", _NAMED_TABLE.sub(f"FROM {_CORRECTED} AS", sql))


class EventView:
    """`ports.EventStore` for readers; see the module."""

    def __init__(
        self,
        store: EventStore,
        corrections: Corrections,
        rollups: Rollups,
        answers: Answers | None = None,
        newest: NewestEvents | None = None,
    ) -> None:
        """`newest` is for the process that alone stores events, which then keeps hours of owners as well."""
        self._store = store
        self.corrections = corrections
        self.rollups = rollups
        self.answers = answers
        self.newest = newest
        self.hours: OwnerHours | None = None
        if newest is not None:
            self.hours = OwnerHours()
            newest.follow(self.hours)

    def over(self, wrap: Callable[[EventStore], EventStore]) -> EventView:
        """The same view of the same store, wrapped; it remembers no answers, so that the wrapper is asked."""
        return EventView(wrap(self._store), self.corrections, self.rollups)

    async def query(
        self, sql: str, parameters: Mapping[str, object] | None = None, *, timeout_s: float = 30.0
    ) -> Rows:
        return await self.query_at(await self.corrections.now(), sql, parameters, timeout_s=timeout_s)

    async def query_at(
        self,
        standing: Corrected,
        sql: str,
        parameters: Mapping[str, object] | None = None,
        *,
        timeout_s: float = 30.0,
    ) -> Rows:
        """As `query`, with the corrections known at an earlier moment."""
        sql, bound = _at(standing, sql, parameters)
        return await self._store.query(sql, bound, timeout_s=timeout_s)

    async def query_arrow(
        self, sql: str, parameters: Mapping[str, object] | None = None, *, timeout_s: float = 30.0
    ) -> pa.Table:
        sql, bound = _at(await self.corrections.now(), sql, parameters)
        return await self._store.query_arrow(sql, bound, timeout_s=timeout_s)

    async def find_rollup(
        self, meter: Meter, concerns: Callable[[Change], bool]
    ) -> tuple[Corrected, Rollup | None]:
        """The corrections that count now, and what may be read instead of a meter's raw events.

        `concerns` tells whether a question reads what lies where a change was made; a question that no
        change concerns is asked as if nothing had ever been corrected.
        """
        standing = await self.corrections.now()
        is_touched = standing.touch(meter.organisation_id, concerns)
        rollup = await self.rollups.find(meter, is_corrected=is_touched)
        return standing if is_touched else NOTHING_CORRECTED, rollup

    async def command(
        self, sql: str, parameters: Mapping[str, object] | None = None, *, timeout_s: float = 30.0
    ) -> None:
        await self._store.command(sql, parameters, timeout_s=timeout_s)

    async def insert_arrow(self, table: str, block: pa.RecordBatch, *, timeout_s: float = 30.0) -> None:
        await self._store.insert_arrow(table, block, timeout_s=timeout_s)

    async def settle(self, *, timeout_s: float = 30.0) -> None:
        await self._store.settle(timeout_s=timeout_s)

    async def ping(self) -> None:
        await self._store.ping()

    async def close(self) -> None:
        await self._store.close()


def corrections_of(store: EventStore) -> Corrections:
    """The corrections that a view makes. Raises `DependencyFailed` for a store without them."""
    if not isinstance(store, EventView):
        raise DependencyFailed("Events cannot be corrected here.")
    return store.corrections


def _at(
    standing: Corrected, sql: str, parameters: Mapping[str, object] | None
) -> tuple[str, Mapping[str, object] | None]:
    if not standing.version:
        return sql, parameters
    sql = corrected(sql)
    if VERSION_PARAMETER not in sql:
        return sql, parameters
    return sql, {**(parameters or {}), "corrections_version": standing.version}
