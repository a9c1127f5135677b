"""Currencies, and the progress of questions (openmeter 2.3, 9.2)."""

from __future__ import annotations

from meterhouse.apis.call import Call
from meterhouse.apis.openmeter import facade
from meterhouse.kernel.clock import format_instant
from meterhouse.kernel.currencies import CURRENCIES
from meterhouse.usage.progress import get_progress


@facade.operation("listCurrencies")
async def list_currencies(call: Call) -> object:
    return list(CURRENCIES.values())


@facade.operation("getProgress", scopes=("meters:read",))
async def progress(call: Call) -> object:
    found = await get_progress(
        call.services.database,
        call.services.events,
        organisation_id=call.principal.organisation_id,
        client_id=call.path["id"],
        now=call.services.clock.now(),
    )
    return {
        "success": found.success,
        "failed": found.failed,
        "total": found.total,
        "updatedAt": format_instant(found.updated_at),
    }
