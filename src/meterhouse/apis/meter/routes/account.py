"""What the account may do, and what became of its strategies (reference, 2.5 and 16)."""

from __future__ import annotations

from meterhouse.apis.call import Call
from meterhouse.apis.meter import facade
from meterhouse.apis.meter.inputs import query_number
from meterhouse.extraction import service

AUDIT_DEFAULT = 100
AUDIT_MAX = 1_000


@facade.operation("get_account_quota", scopes=("strategies:read",))
async def get_account_quota(call: Call) -> object:
    """Nothing is limited on a server of one's own, so there is no time at which a limit ends."""
    async with call.services.database.begin() as connection:
        used = await service.count_quota_use(
            connection, organisation_id=call.principal.organisation_id, now=call.services.clock.now()
        )
    return {"strategy_quota": {"used": used, "limit": -1, "tier": "enterprise"}}


@facade.operation("list_strategy_audit", scopes=("strategies:read",))
async def list_strategy_audit(call: Call) -> object:
    limit = query_number(call, "limit", minimum=1, maximum=AUDIT_MAX) or AUDIT_DEFAULT
    async with call.services.database.begin() as connection:
        entries = await service.list_audit(
            connection, organisation_id=call.principal.organisation_id, limit=limit, offset=0
        )
    return [
        {
            "id": entry.id,
            "strategy_id": entry.strategy_id,
            "strategy_name": entry.name,
            "action": entry.action,
            "created_at": entry.at,
        }
        for entry in entries
    ]
