"""Today's events as a text of metrics (openmeter 9.2)."""

from __future__ import annotations

from starlette.responses import Response

from meterhouse.apis.call import Call
from meterhouse.apis.openmeter import facade
from meterhouse.apis.openmeter.convert import shown_subject
from meterhouse.usage.counts import count_by_subject

_HEAD = (
    "# HELP openmeter_events Number of ingested events\n"
    "# TYPE openmeter_events counter\n"
    "# UNIT openmeter_events events\n"
)
_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


@facade.operation("getDebugMetrics", scopes=("events:read",))
async def debug_metrics(call: Call) -> Response:
    """Count the events dated since midnight, UTC, by subject."""
    midnight = call.services.clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    counts = await count_by_subject(
        call.services.events, organisation_id=call.principal.organisation_id, from_at=midnight
    )
    samples = [
        f'openmeter_events_total{{subject="{shown_subject(subject, named).translate(_ESCAPES)}"}} {count}\n'
        for subject, named, count in counts
    ]
    return call.text(_HEAD + "".join(samples) + "# EOF\n")
