"""One organisation per test, on the database of the module."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from meterhouse.customers import queries, service, subjects
from meterhouse.customers.model import Customer, Subject
from meterhouse.customers.service import CustomerChanges, CustomerDraft
from meterhouse.kernel.clock import TestClock
from meterhouse.kernel.ids import new_id
from meterhouse.platform.postgres import PostgresDatabase


@dataclass
class Books:
    """The customers of one organisation; each call is a transaction of its own."""

    database: PostgresDatabase
    clock: TestClock
    organisation_id: UUID = field(default_factory=new_id)

    async def create(self, dialect: service.Dialect = "openmeter", **fields: Any) -> Customer:
        async with self.database.begin() as connection:
            return await service.create_customer(
                connection,
                organisation_id=self.organisation_id,
                draft=CustomerDraft(dialect, **({"name": "Acme"} | fields)),
                clock=self.clock,
            )

    async def replace(self, id_or_key: object, **fields: Any) -> Customer:
        async with self.database.begin() as connection:
            return await service.replace_customer(
                connection,
                organisation_id=self.organisation_id,
                id_or_key=str(id_or_key),
                draft=CustomerDraft("openmeter", **({"name": "Acme"} | fields)),
                clock=self.clock,
            )

    async def update(self, id_or_key: object, **changes: Any) -> Customer:
        async with self.database.begin() as connection:
            return await service.update_customer(
                connection,
                organisation_id=self.organisation_id,
                id_or_key=str(id_or_key),
                changes=CustomerChanges(**changes),
                clock=self.clock,
            )

    async def delete(
        self, id_or_key: object, *, guards: Sequence[service.DeletionGuard] = (), anonymize: bool = False
    ) -> None:
        async with self.database.begin() as connection:
            await service.delete_customer(
                connection,
                organisation_id=self.organisation_id,
                id_or_key=str(id_or_key),
                guards=guards,
                anonymize=anonymize,
                clock=self.clock,
            )

    async def get(self, id_or_key: object) -> Customer:
        async with self.database.begin() as connection:
            return await queries.get_customer(
                connection, organisation_id=self.organisation_id, id_or_key=str(id_or_key)
            )

    async def owners(self, *subjects: str) -> dict[str, Customer]:
        async with self.database.begin() as connection:
            return await queries.owners_of(
                connection, organisation_id=self.organisation_id, subjects=subjects
            )

    async def listed(self, *sort: tuple[queries.CustomerSort, bool], **criteria: Any) -> list[Customer]:
        async with self.database.begin() as connection:
            found, total = await queries.list_customers(
                connection,
                organisation_id=self.organisation_id,
                criteria=queries.CustomerCriteria(**criteria),
                sort=sort or (("display_name", False),),
            )
        assert total == len(found)
        return found

    async def upsert(self, *drafts: tuple[str, dict[str, Any]]) -> list[Subject]:
        async with self.database.begin() as connection:
            return await subjects.upsert_subjects(
                connection,
                organisation_id=self.organisation_id,
                drafts=[(key, subjects.SubjectChanges(**changes)) for key, changes in drafts],
                clock=self.clock,
            )

    async def subject(self, id_or_key: object) -> Subject:
        async with self.database.begin() as connection:
            return await queries.get_subject(
                connection, organisation_id=self.organisation_id, id_or_key=str(id_or_key)
            )

    async def delete_subject(self, id_or_key: object) -> None:
        async with self.database.begin() as connection:
            await subjects.delete_subject(
                connection, organisation_id=self.organisation_id, id_or_key=str(id_or_key), clock=self.clock
            )


@pytest.fixture
def clock() -> TestClock:
    return TestClock(datetime(2026, 3, 1, tzinfo=UTC))


@pytest.fixture
def books(database: PostgresDatabase, clock: TestClock) -> Books:
    return Books(database, clock)
