"""Which thresholds an entitlement's balance has crossed: an operation of ours."""

from __future__ import annotations

from meterhouse.apis.call import Call
from meterhouse.apis.openmeter import facade
from meterhouse.apis.openmeter.numbers import number_to_wire
from meterhouse.apis.openmeter.owners import customer_of
from meterhouse.apis.openmeter.paging import Paging
from meterhouse.apis.openmeter.value_convert import period_to_wire, value_to_wire_v2
from meterhouse.entitlements.crossings import Crossing, list_crossings
from meterhouse.entitlements.queries import get_customer_entitlement
from meterhouse.kernel.clock import format_instant
from meterhouse.kernel.ids import to_ulid

READ = ("entitlements:read",)


@facade.operation("listCustomerEntitlementCrossingsV2", scopes=READ)
async def list_entitlement_crossings(call: Call) -> object:
    paging = Paging.from_wire(call.query, pages=True)
    async with call.services.database.begin() as connection:
        customer = await customer_of(call, connection)
        entitlement = await get_customer_entitlement(
            connection,
            organisation_id=call.principal.organisation_id,
            customer_id=customer.id,
            id_or_feature_key=call.path["entitlementIdOrFeatureKey"],
            at=call.services.clock.now(),
        )
        found, total = await list_crossings(
            connection, entitlement=entitlement, limit=paging.limit, offset=paging.offset
        )
    return paging.to_wire([crossing_to_wire(crossing) for crossing in found], total)


def crossing_to_wire(crossing: Crossing) -> dict[str, object]:
    """Write a crossing with the value with which it was found."""
    assert crossing.value.balance is not None
    return {
        "id": to_ulid(crossing.id),
        "createdAt": format_instant(crossing.created_at),
        "threshold": {
            "type": crossing.threshold.type.value,
            "value": number_to_wire(crossing.threshold.value),
        },
        "entitlementId": to_ulid(crossing.entitlement_id),
        "customerId": to_ulid(crossing.customer_id),
        "featureId": to_ulid(crossing.feature_id),
        "featureKey": crossing.feature_key,
        "usagePeriod": period_to_wire(crossing.value.balance.period),
        "value": value_to_wire_v2(crossing.value),
    }
