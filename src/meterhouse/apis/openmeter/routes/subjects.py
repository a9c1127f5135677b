"""Subjects: upsert, get, list, delete (openmeter 3.1)."""

from __future__ import annotations

from meterhouse.apis.call import Call
from meterhouse.apis.faults import fields_named
from meterhouse.apis.openmeter import facade
from meterhouse.apis.openmeter.customer_convert import SUBJECT_FIELDS, subject_from_wire, subject_to_wire
from meterhouse.customers import queries, subjects


@facade.operation("upsertSubject", scopes=("customers:write",))
async def upsert_subjects(call: Call) -> object:
    with fields_named(SUBJECT_FIELDS):
        async with call.services.database.begin() as connection:
            upserted = await subjects.upsert_subjects(
                connection,
                organisation_id=call.principal.organisation_id,
                drafts=[subject_from_wire(item) for item in call.body],
                clock=call.services.clock,
            )
    return [subject_to_wire(subject) for subject in upserted]


@facade.operation("listSubjects", scopes=("customers:read",))
async def list_subjects(call: Call) -> object:
    async with call.services.database.begin() as connection:
        listed = await queries.list_subjects(connection, organisation_id=call.principal.organisation_id)
    return [subject_to_wire(subject) for subject in listed]


@facade.operation("getSubject", scopes=("customers:read",))
async def get_subject(call: Call) -> object:
    async with call.services.database.begin() as connection:
        subject = await queries.get_subject(
            connection,
            organisation_id=call.principal.organisation_id,
            id_or_key=call.path["subjectIdOrKey"],
        )
    return subject_to_wire(subject)


@facade.operation("deleteSubject", scopes=("customers:write",))
async def delete_subject(call: Call) -> object:
    async with call.services.database.begin() as connection:
        await subjects.delete_subject(
            connection,
            organisation_id=call.principal.organisation_id,
            id_or_key=call.path["subjectIdOrKey"],
            clock=call.services.clock,
        )
    return call.no_content()
