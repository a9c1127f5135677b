"""Check and consume, and many checks at once: operations of ours beside the published values."""

from __future__ import annotations

from meterhouse.apis.call import Call
from meterhouse.apis.openmeter import facade
from meterhouse.apis.openmeter.numbers import amount_from_wire
from meterhouse.apis.openmeter.value_convert import NO_ACCESS, value_to_wire_v2
from meterhouse.entitlements.balance import Check
from meterhouse.entitlements.consume import Consumption

READ, CONSUME = ("entitlements:read",), ("entitlements:write",)


@facade.operation("consumeCustomerEntitlementV2", scopes=CONSUME)
async def consume(call: Call) -> object:
    body = call.body
    consumed = await call.services.consumer.consume(
        organisation_id=call.principal.organisation_id,
        customer=call.path["customerIdOrKey"],
        feature=call.path["entitlementIdOrFeatureKey"],
        wanted=Consumption(
            amount_from_wire(body["amount"]), body.get("idempotencyKey"), body.get("metadata")
        ),
    )
    return {"allowed": consumed.allowed, "value": value_to_wire_v2(consumed.value)}


@facade.operation("checkEntitlementsV2", scopes=READ)
async def check(call: Call) -> object:
    checks = [Check(asked["customer"], asked["feature"]) for asked in call.body["checks"]]
    values = await call.services.balances.check(organisation_id=call.principal.organisation_id, checks=checks)
    return {
        "items": [
            {
                "customer": asked.customer,
                "feature": asked.feature,
                "value": NO_ACCESS if value is None else value_to_wire_v2(value),
            }
            for asked, value in zip(checks, values, strict=True)
        ]
    }
