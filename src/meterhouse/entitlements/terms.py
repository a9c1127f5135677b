"""What balances follow from besides usage, read as seldom as possible.

Everything that a check needs to know is remembered under a stamp. One small statement, shared by all checks
that wait at the moment, tells the stamps that are true now; what carries an older stamp is read again. So a
change is never overlooked, whichever process made it.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, defaultdict
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import DateTime, Integer, Text, Uuid, and_, bindparam, column, func, or_, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from meterhouse.catalog.queries import find_features, measured
from meterhouse.customers.model import Customer
from meterhouse.customers.queries import find_customers, identified, owned_subjects
from meterhouse.entitlements.engine import Rules
from meterhouse.entitlements.model import Entitlement, EntitlementType
from meterhouse.entitlements.queries import find_entitlements, grants_of, resets_of
from meterhouse.entitlements.tables import entitlements
from meterhouse.kernel.errors import InvariantBroken
from meterhouse.kernel.ids import parse_id
from meterhouse.platform.ports import Database
from meterhouse.usage.engine.ranges import Usage
from meterhouse.usage.model import Identities
from meterhouse.usage.queries import defined, find_meters

REMEMBERED_MAX = 10_000
ASKED_AT_ONCE_MAX = 1_000
READS_MAX = 5
LINGER_S, OPEN_MAX_S = 0.05, 1.0


class Asked(NamedTuple):
    """Whose entitlement to what, as it was named; without `feature`, all that are active.

    `feature` is a feature's key, of which the one active at `at` is meant, or the id of an entitlement.
    """

    organisation_id: UUID
    customer: str
    feature: str | None
    at: datetime


class Stamp(NamedTuple):
    """What was true when something was read; equal stamps mean that nothing has changed since."""

    customer_id: UUID
    customer_key: str | None
    subject_keys: tuple[str, ...]
    is_deleted: bool
    entitlement_id: UUID | None
    revision: int | None
    meter_at: datetime | None


@dataclass(frozen=True)
class Terms:
    """An entitlement, and for a metered one the rules of its balance and whose usage counts."""

    entitlement: Entitlement
    customer: Customer
    rules: Rules | None = None
    usage: Usage | None = None


@dataclass(frozen=True)
class Found:
    """A customer, and what was asked for of its entitlements."""

    customer_id: UUID
    is_deleted: bool
    terms: tuple[Terms, ...]


_Waiting = tuple[Asked, asyncio.Future[list[Stamp]]]


class TermsReader:
    """Finds the terms behind what is asked; see the module."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[_Waiting] = []
        self._came = asyncio.Event()
        self._reading: asyncio.Task[None] | None = None
        self._known: OrderedDict[UUID, tuple[Stamp, Terms]] = OrderedDict()

    async def find(self, asked: Asked) -> Found | None:
        """What is meant, `None` for an unknown customer. No terms: the customer has no such entitlement."""
        for _ in range(READS_MAX):
            stamps = await self._current(asked)
            if await self._is_known(asked.organisation_id, [stamps]):
                return self._found(stamps)
        raise InvariantBroken("the terms of an entitlement changed faster than they could be read")

    async def find_within(self, connection: AsyncConnection, asked: Asked) -> Found | None:
        """As `find`, inside a transaction that holds the entitlement."""
        (stamps,) = await read_stamps(connection, [asked])
        if not await self._is_known(asked.organisation_id, [stamps], connection):
            (stamps,) = await read_stamps(connection, [asked])
            await self._is_known(asked.organisation_id, [stamps], connection)
        return self._found(stamps)

    async def find_all(self, asked: Sequence[Asked]) -> list[Found | None]:
        """As `find`, for many of one organisation at once and in their order."""
        for _ in range(READS_MAX):
            stamps: list[list[Stamp]] = []
            for start in range(0, len(asked), ASKED_AT_ONCE_MAX):
                async with self._database.begin() as connection:
                    stamps += await read_stamps(connection, asked[start : start + ASKED_AT_ONCE_MAX])
            if not asked or await self._is_known(asked[0].organisation_id, stamps):
                return [self._found(found) for found in stamps]
        raise InvariantBroken("the terms of entitlements changed faster than they could be read")

    def _found(self, stamps: Sequence[Stamp]) -> Found | None:
        if not stamps:
            return None
        terms = [self._known[stamp.entitlement_id][1] for stamp in stamps if stamp.entitlement_id is not None]
        return Found(stamps[0].customer_id, stamps[0].is_deleted, tuple(terms))

    async def _is_known(
        self,
        organisation_id: UUID,
        stamps: Sequence[Sequence[Stamp]],
        connection: AsyncConnection | None = None,
    ) -> bool:
        """Whether all terms are remembered under these very stamps; those that are not are read now.

        What is read may be newer than its stamp, and of different moments: the next look at stamps tells.
        """
        missing: dict[UUID, Stamp] = {}
        for found in stamps:
            for stamp in found:
                if stamp.entitlement_id is not None and not self._recall(stamp.entitlement_id, stamp):
                    missing[stamp.entitlement_id] = stamp
        if missing:
            begun = self._database.begin() if connection is None else nullcontext(connection)
            async with begun as usable:
                read = await read_terms(usable, organisation_id=organisation_id, ids=list(missing))
            for entitlement_id, terms in read.items():
                self._known[entitlement_id] = (missing[entitlement_id], terms)
                self._known.move_to_end(entitlement_id)
            while len(self._known) > REMEMBERED_MAX:
                self._known.popitem(last=False)
        return not missing

    def _recall(self, entitlement_id: UUID, stamp: Stamp) -> bool:
        known = self._known.get(entitlement_id)
        if known is None or known[0] != stamp:
            return False
        self._known.move_to_end(entitlement_id)
        return True

    async def _current(self, asked: Asked) -> list[Stamp]:
        """The stamps that are true after the call began, by one statement for all who wait meanwhile."""
        done: asyncio.Future[list[Stamp]] = asyncio.get_running_loop().create_future()
        self._waiting.append((asked, done))
        self._came.set()
        if self._reading is None:
            self._reading = asyncio.create_task(self._read_waiting())
        return await done

    async def _read_waiting(self) -> None:
        """Answer whoever waits. The transaction stays open for those who come soon after.

        Beginning one costs more than the statement itself, and each statement sees what is committed by then.
        """
        loop = asyncio.get_running_loop()
        taken: list[_Waiting] = []
        try:
            async with self._database.begin() as connection:
                until = loop.time() + OPEN_MAX_S
                while self._waiting or (loop.time() < until and await self._somebody_comes()):
                    taken = self._waiting[:ASKED_AT_ONCE_MAX]
                    del self._waiting[:ASKED_AT_ONCE_MAX]
                    answers = await read_stamps(connection, [asked for asked, _ in taken])
                    for (_, done), stamps in zip(taken, answers, strict=True):
                        if not done.done():
                            done.set_result(stamps)
        except Exception as failure:
            for _, done in [*taken, *self._waiting]:
                if not done.done():
                    done.set_exception(failure)
            self._waiting.clear()
        finally:
            self._reading = None
            if self._waiting:  # who came while the transaction ended
                self._reading = asyncio.create_task(self._read_waiting())

    async def _somebody_comes(self) -> bool:
        self._came.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(LINGER_S):
                await self._came.wait()
        return bool(self._waiting)


_FIELDS: dict[str, Any] = {
    "place": Integer,
    "organisation_id": Uuid,
    "customer": Text,
    "customer_id": Uuid,
    "feature": Text,
    "entitlement_id": Uuid,
    "at": DateTime(timezone=True),
}
_asked = (
    func.unnest(*(bindparam(name, type_=ARRAY(kind)) for name, kind in _FIELDS.items()))
    .table_valued(*(column(name, kind) for name, kind in _FIELDS.items()), name="asked")
    .render_derived()
)
_is_active = and_(
    entitlements.c.active_from <= _asked.c.at,
    or_(entitlements.c.active_to.is_(None), entitlements.c.active_to > _asked.c.at),
    or_(entitlements.c.deleted_at.is_(None), entitlements.c.deleted_at > _asked.c.at),
)
_is_meant = or_(
    entitlements.c.id == _asked.c.entitlement_id,
    and_(_is_active, or_(_asked.c.feature.is_(None), entitlements.c.feature_key == _asked.c.feature)),
)
_STAMPS = (
    select(
        _asked.c.place,
        identified,
        (identified.c.id == _asked.c.customer_id).label("is_id"),
        entitlements.c.id.label("entitlement_id"),
        (entitlements.c.id == _asked.c.entitlement_id).label("is_entitlement_id"),
        entitlements.c.revision,
        defined.c.at.label("meter_at"),
    )
    .select_from(_asked)
    .join(
        identified,
        and_(
            identified.c.organisation_id == _asked.c.organisation_id,
            or_(
                identified.c.id == _asked.c.customer_id,
                and_(identified.c.key == _asked.c.customer, identified.c.deleted_at.is_(None)),
            ),
        ),
    )
    .outerjoin(entitlements, and_(entitlements.c.customer_id == identified.c.id, _is_meant))
    .outerjoin(measured, measured.c.id == entitlements.c.feature_id)
    .outerjoin(defined, defined.c.id == measured.c.meter_id)
    .order_by(_asked.c.place, entitlements.c.feature_key)
)


async def read_stamps(connection: AsyncConnection, asked: Sequence[Asked]) -> list[list[Stamp]]:
    """The stamps that are true now, for each that is asked; none for an unknown customer."""
    texts = [[_storable(each.customer), _storable(each.feature)] for each in asked]
    values = {
        "place": list(range(len(asked))),
        "organisation_id": [each.organisation_id for each in asked],
        "customer": [customer for customer, _ in texts],
        "customer_id": [parse_id(each.customer) for each in asked],
        "feature": [feature for _, feature in texts],
        "entitlement_id": [None if each.feature is None else parse_id(each.feature) for each in asked],
        "at": [each.at for each in asked],
    }
    rows: dict[int, list[Any]] = defaultdict(list)
    for row in await connection.execute(_STAMPS, values):
        rows[row.place].append(row)
    return [_chosen(rows[place], each) for place, each in enumerate(asked)]


def _chosen(rows: Sequence[Any], asked: Asked) -> list[Stamp]:
    """Of several customers the live one, of several entitlements the one named by its id."""
    if not rows:
        return []
    customer_id = min(rows, key=lambda row: (row.deleted_at is not None, not row.is_id)).id
    own = [row for row in rows if row.id == customer_id]
    if asked.feature is not None:
        own = [min(own, key=lambda row: not row.is_entitlement_id)]
    return [
        Stamp(
            row.id,
            row.key,
            tuple(row.subject_keys or ()),
            row.deleted_at is not None,
            row.entitlement_id,
            row.revision,
            row.meter_at,
        )
        for row in own
    ]


def _storable(text: str | None) -> str | None:
    """PostgreSQL holds no U+0000 and no half of a surrogate pair, and so nothing stored can match them."""
    return None if text is None else text.encode("utf-8", "replace").decode().replace("\x00", "\ufffd")


async def read_terms(
    connection: AsyncConnection, *, organisation_id: UUID, ids: Sequence[UUID]
) -> dict[UUID, Terms]:
    """The terms of entitlements by their ids."""
    found = await find_entitlements(connection, organisation_id=organisation_id, ids=ids)
    owners = await find_customers(
        connection,
        organisation_id=organisation_id,
        ids={entitlement.customer_id for entitlement in found.values()},
    )
    owned = await owned_subjects(connection, organisation_id=organisation_id, customers=owners.values())
    metered = [each for each in found.values() if each.type is EntitlementType.METERED]
    features = await find_features(
        connection, organisation_id=organisation_id, ids={each.feature_id for each in metered}
    )
    meter_ids = {feature.meter_id for feature in features.values() if feature.meter_id is not None}
    meters = await find_meters(connection, organisation_id=organisation_id, ids=meter_ids)
    metered_ids = [each.id for each in metered]
    grants = await grants_of(connection, entitlement_ids=metered_ids)
    resets = await resets_of(connection, entitlement_ids=metered_ids)
    terms = {}
    for entitlement in found.values():
        customer = owners[entitlement.customer_id]
        feature = features.get(entitlement.feature_id)
        if feature is None or feature.meter_id is None:
            terms[entitlement.id] = Terms(entitlement, customer)
            continue
        meter = meters[feature.meter_id]
        rules = Rules(entitlement, meter.aggregation, grants[entitlement.id], resets[entitlement.id])
        whose = Identities((str(customer.id),), owned[customer.id])
        terms[entitlement.id] = Terms(entitlement, customer, rules, Usage(meter, whose, feature.filters))
    return terms
