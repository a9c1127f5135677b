"""Watching a page in one call (reference, 13)."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from meterhouse.apis.call import Call
from meterhouse.apis.meter import facade
from meterhouse.apis.meter.inputs import restate_generation
from meterhouse.apis.meter.routes.schedules import refusing
from meterhouse.apis.meter.routes.strategies import request_of
from meterhouse.apis.meter.schedule_inputs import restate_schedule, schedule_of
from meterhouse.kernel.ids import new_id
from meterhouse.monitoring.watch import watch as start_watching

INTERVAL_DEFAULT_S = 3600
NAME_LENGTH = 80


def restate_watch(body: Any) -> Any:
    return restate_generation(restate_schedule(body))


@facade.operation("watch", scopes=("strategies:write",), restate=restate_watch)
async def watch(call: Call) -> object:
    """Beside the documented fields those of strategies and schedules are taken.

    The published client always sends an interval, so a cron expression beside one wins.
    """
    services, body = call.services, call.body
    interval_s = None if "cron_expression" in body else body.get("interval_seconds", INTERVAL_DEFAULT_S)
    is_list = isinstance(body.get("urls"), list)
    schedule = schedule_of(
        body,
        new_id(),
        interval_s=interval_s,
        url=None if is_list else body["url"],
        runs_at_once=True,
    )
    made = await refusing(
        start_watching(
            services.database,
            services.fetcher,
            services.extractor,
            organisation_id=call.principal.organisation_id,
            strategy=request_of({"name": _name(body), **body}),
            schedule=schedule,
            browser=services.browser,
            model=services.model,
            clock=services.clock,
        )
    )
    wire: dict[str, object] = {
        "strategy_id": made.strategy.id,
        "schedule_id": made.saved.schedule.id,
        "preview_data": made.strategy.preview,
        "next_run_at": made.saved.schedule.next_at,
    }
    return {**wire, "webhook_secret": made.saved.new_secret} if made.saved.new_secret else wire


def _name(body: dict[str, Any]) -> str:
    try:
        host = urlsplit(body["url"]).hostname or ""
    except ValueError:
        host = ""
    return f"{host}: {' '.join(body['description'].split())}"[:NAME_LENGTH]
