"""Reading schedules and webhooks as requests to the Meter facade bring them (reference, 10 and 11)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from meterhouse.apis.call import Call
from meterhouse.apis.faults import RequestInvalid, RequestIssue, summary
from meterhouse.apis.meter.inputs import without_nulls
from meterhouse.kernel.ids import parse_id
from meterhouse.monitoring.keywords import KeywordFilter
from meterhouse.monitoring.schedules_model import ScheduleChange, ScheduleRequest, WebhookRequest

_CLEARABLE = (
    "webhook_url",
    "webhook_type",
    "webhook_secret",
    "webhook_metadata",
    "webhook_only_changes",
    "parameters",
)
_CHANGES = {
    "enabled": "enabled",
    "url": "url",
    "urls": "urls",
    "interval_seconds": "interval_s",
    "cron_expression": "cron",
    "timezone": "timezone",
    **{name: name for name in _CLEARABLE},
}


def restate_schedule(body: Any) -> Any:
    """A new schedule as the contract has it: an empty webhook type means to detect it."""
    kept = without_nulls(body)
    if isinstance(kept, dict) and kept.get("webhook_type") == "":
        del kept["webhook_type"]
    return kept


def restate_change(body: Any) -> Any:
    """A change as the contract has it. Published clients cannot send `null`: other nothings clear too.

    Raises `RequestInvalid` for both of a pair.
    """
    if not isinstance(body, dict):
        return body
    kept = {name: one for name, one in body.items() if one is not None or name in _CLEARABLE}
    for one, other in (("url", "urls"), ("interval_seconds", "cron_expression")):
        if one in kept and other in kept:
            raise _refused(one, f"give one of {one}, {other}, not both", kept[one])
    return {**kept, "webhook_type": None} if kept.get("webhook_type") == "" else kept


def schedule_of(body: Mapping[str, Any], strategy_id: UUID, **given: Any) -> ScheduleRequest:
    """A new schedule, its body checked against the contract; `given` values win."""
    values = {
        "url": body.get("url"),
        "urls": body.get("urls"),
        "interval_s": body.get("interval_seconds"),
        "cron": body.get("cron_expression"),
        "timezone": text_of(body, "timezone"),
        "parameters": body.get("parameters"),
        "webhook": webhook_of(body),
        "enabled": flag_of(body, "enabled", default=True),
        **given,
    }
    return ScheduleRequest(strategy_id=strategy_id, **values)


def change_of(body: Mapping[str, Any]) -> ScheduleChange:
    """What of a schedule is to change; what is left out stays as it is."""
    if "timezone" in body:
        text_of(body, "timezone")
    if body.get("webhook_only_changes") is not None:
        flag_of(body, "webhook_only_changes", default=False)
    return ScheduleChange(**{_CHANGES[name]: value for name, value in body.items() if name in _CHANGES})


def webhook_of(body: Mapping[str, Any]) -> WebhookRequest | None:
    """The webhook that a body asks for; `None` when it gives no address."""
    url = body.get("webhook_url")
    if not url:
        return None
    return WebhookRequest(
        url,
        body.get("webhook_type"),
        body.get("webhook_secret"),
        body.get("webhook_metadata"),
        flag_of(body, "webhook_only_changes", default=False),
    )


def keywords_of(call: Call) -> KeywordFilter:
    return KeywordFilter.parse(call.query.get("filter", ""))


def text_of(body: Mapping[str, Any], name: str) -> str | None:
    """A text that the contract does not know. Raises `RequestInvalid` for anything else."""
    value = body.get(name)
    if value is None or isinstance(value, str):
        return value
    raise _refused(name, "must be a text", value)


def flag_of(body: Mapping[str, Any], name: str, *, default: bool) -> bool:
    """A flag that the contract does not know. Raises `RequestInvalid` for anything else."""
    value = body.get(name, default)
    if isinstance(value, bool):
        return value
    raise _refused(name, "must be true or false", value)


def ids_of(body: Mapping[str, Any], name: str) -> list[UUID]:
    """A list of ids in the body. Raises `RequestInvalid` for something else."""
    found: list[UUID] = []
    for text in body[name]:
        value = parse_id(text) if isinstance(text, str) else None
        if value is None:
            raise _refused(name, "must be a list of ids (UUIDs)", text)
        found.append(value)
    return found


def _refused(name: str, message: str, value: object) -> RequestInvalid:
    issue = RequestIssue(("body", name), message, code="value_error", input=value)
    return RequestInvalid(summary([issue]), issues=[issue])
