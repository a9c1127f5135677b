"""What entitlements allow, and how that came about: values, access, history (openmeter 3.3, 4.2, 4.6)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from meterhouse.apis.call import Call
from meterhouse.apis.openmeter import facade
from meterhouse.apis.openmeter.explain_convert import explanation_to_wire
from meterhouse.apis.openmeter.filters import instant_from_wire
from meterhouse.apis.openmeter.inputs import faults_in
from meterhouse.apis.openmeter.owners import subject_owner
from meterhouse.apis.openmeter.value_convert import (
    NO_ACCESS,
    history_to_wire,
    value_to_wire,
    value_to_wire_v2,
)
from meterhouse.entitlements.model import Value
from meterhouse.kernel.errors import NotFound
from meterhouse.usage.model import Window

READ = ("entitlements:read",)


@facade.operation("getEntitlementValue", scopes=READ)
async def get_value(call: Call) -> object:
    customer = await _subjects_customer(call)
    return value_to_wire(await _value(call, customer, call.path["entitlementIdOrFeatureKey"]))


@facade.operation("getCustomerEntitlementValueV2", scopes=READ)
async def get_value_v2(call: Call) -> object:
    customer, feature = call.path["customerIdOrKey"], call.path["entitlementIdOrFeatureKey"]
    if not call.query.get("explain", False):
        return value_to_wire_v2(await _value(call, customer, feature))
    with faults_in("query"):
        value, explanation = await call.services.balances.explained_value(
            organisation_id=call.principal.organisation_id,
            customer=customer,
            feature=feature,
            at=_instant(call.query, "time"),
        )
    wire = value_to_wire_v2(value)
    return wire if explanation is None else {**wire, "explanation": explanation_to_wire(explanation)}


@facade.operation("getCustomerEntitlementValue", scopes=READ)
async def get_customer_value(call: Call) -> object:
    """A customer without the entitlement has no access; that is an answer, not an error."""
    try:
        return value_to_wire(await _value(call, call.path["customerIdOrKey"], call.path["featureKey"]))
    except NotFound as missing:
        if missing.code != "entitlement_not_found":
            raise
        return NO_ACCESS


@facade.operation("getCustomerAccess", scopes=READ)
async def get_access(call: Call) -> object:
    access = await call.services.balances.access(
        organisation_id=call.principal.organisation_id, customer=call.path["customerIdOrKey"]
    )
    return {"entitlements": {key: value_to_wire(value) for key, value in access.items()}}


@facade.operation("getEntitlementHistory", scopes=READ)
async def get_history(call: Call) -> object:
    return await _history(call, await _subjects_customer(call), call.path["entitlementId"])


@facade.operation("getCustomerEntitlementHistoryV2", scopes=READ)
async def get_history_v2(call: Call) -> object:
    return await _history(call, call.path["customerIdOrKey"], call.path["entitlementIdOrFeatureKey"])


async def _subjects_customer(call: Call) -> str:
    async with call.services.database.begin() as connection:
        return str((await subject_owner(call, connection)).id)


async def _value(call: Call, customer: str, feature: str) -> Value:
    with faults_in("query"):
        return await call.services.balances.value(
            organisation_id=call.principal.organisation_id,
            customer=customer,
            feature=feature,
            at=_instant(call.query, "time"),
        )


async def _history(call: Call, customer: str, feature: str) -> object:
    balances, query = call.services.balances, call.query
    with faults_in("query"):
        terms = await balances.terms(
            organisation_id=call.principal.organisation_id, customer=customer, feature=feature
        )
        history = await balances.history(
            terms,
            window=Window(query["windowSize"].lower()),
            zone=query.get("windowTimeZone", "UTC"),
            from_at=_instant(query, "from"),
            to_at=_instant(query, "to"),
        )
    return history_to_wire(history)


def _instant(query: Any, name: str) -> datetime | None:
    given = query.get(name)
    return None if given is None else instant_from_wire(given, ("query", name))
