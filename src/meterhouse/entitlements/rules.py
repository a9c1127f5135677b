"""What a legal entitlement and a legal grant are (openmeter 4.2, 4.3). Fields have their names in the API."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from typing import Any, NoReturn

from meterhouse.catalog.model import Feature
from meterhouse.entitlements.drafts import CadenceDraft, EntitlementDraft, GrantDraft
from meterhouse.entitlements.model import EntitlementType
from meterhouse.kernel.clock import format_instant
from meterhouse.kernel.errors import Forbidden, Invalid, Issue, PreconditionFailed
from meterhouse.kernel.periods import Cadence, Interval, minute_ceil, minute_floor

AMOUNT_MAX = Decimal(10) ** 20
DECIMALS_MAX = 20
CONFIG_LENGTH_MAX = 65_536
GRANTS_AT_CREATION_MAX = 100
PERIODS_BACK_MAX = 20_000
"""How many usage periods ago measuring may start: 54 years of days, 2 years of hours."""

Path = tuple[str | int, ...]

_METERED_ONLY = {
    "measureUsageFrom": "measure_usage_from",
    "isSoftLimit": "is_soft_limit",
    "preserveOverageAtReset": "preserve_overage_at_reset",
    "issueAfterReset": "issue_after_reset",
    "issueAfterResetPriority": "issue_after_reset_priority",
    "grants": "grants",
}


def refuse(issues: list[Issue]) -> None:
    """Raise `Invalid` when there are issues."""
    if issues:
        raise Invalid("; ".join(issue.message for issue in issues[:5]), issues=tuple(issues))


def check_draft(draft: EntitlementDraft, feature: Feature) -> None:
    """Raise `Invalid` for what does not fit the type or the feature."""
    issues = [
        Issue((wire,), f"invalid entitlement value for type {draft.type}: {wire}", "invalid_value")
        for wire, value in _foreign_fields(draft)
        if value is not None
    ]
    if draft.type is EntitlementType.METERED:
        issues += _metered_issues(draft, feature)
    if draft.type is EntitlementType.STATIC:
        issues += _config_issues(draft.config)
    refuse(issues)


def _foreign_fields(draft: EntitlementDraft) -> list[tuple[str, Any]]:
    foreign = [] if draft.type is EntitlementType.METERED else list(_METERED_ONLY.items())
    if draft.type is not EntitlementType.STATIC:
        foreign.append(("config", "config"))
    return [(wire, getattr(draft, name)) for wire, name in foreign]


def _metered_issues(draft: EntitlementDraft, feature: Feature) -> list[Issue]:
    issues: list[Issue] = []
    if feature.meter_id is None:
        text = f"feature {feature.key} has no meter, so an entitlement to it cannot be metered"
        issues.append(Issue(("type",), text, "feature_without_meter"))
    if draft.usage_period is None:
        issues.append(Issue(("usagePeriod",), "a metered entitlement needs a usage period", "missing"))
    amount = draft.issue_after_reset
    if amount is None and draft.issue_after_reset_priority is not None:
        text = "a priority needs an amount: give issueAfterReset as well"
        issues.append(Issue(("issueAfterResetPriority",), text, "amount_required"))
    if amount is not None:
        issues += amount_issues(("issueAfterReset",), amount)
        if draft.grants:
            text = "grants cannot be used together with issueAfterReset"
            issues.append(Issue(("grants",), text, "conflicting_grants"))
    if draft.grants and len(draft.grants) > GRANTS_AT_CREATION_MAX:
        text = f"at most {GRANTS_AT_CREATION_MAX} grants can be made with an entitlement"
        issues.append(Issue(("grants",), text, "too_many_grants"))
    return issues


def _config_issues(config: str | None) -> list[Issue]:
    if config is None:
        return [Issue(("config",), "a static entitlement needs a config", "missing")]
    if len(config) > CONFIG_LENGTH_MAX:
        return [Issue(("config",), f"config has more than {CONFIG_LENGTH_MAX} characters", "too_long")]
    try:
        json.loads(config, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return [Issue(("config",), "config must be a text that holds valid JSON", "invalid_json")]
    return []


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value")


def cadence_from(draft: CadenceDraft, *, anchor: datetime, at: Path) -> Cadence:
    """What recurs, its anchor a full minute. `anchor` stands in for one that was not given.

    Raises `Invalid` for what is no duration, is shorter than an hour or not of whole minutes.
    """
    interval = Interval.parse(draft.interval, field=(*at, "interval"))
    if interval.is_below_an_hour or interval.seconds % 60:
        text = f"{draft.interval} must be at least one hour long and of whole minutes"
        raise Invalid(text, issues=(Issue((*at, "interval"), text, "invalid_interval"),))
    return Cadence(interval, minute_floor(draft.anchor or anchor))


def measured_from(draft: EntitlementDraft, period: Cadence, *, now: datetime) -> datetime:
    """The full minute from which usage counts. Raises `Invalid` for the future and for too long ago."""
    wanted = draft.measure_usage_from
    if wanted == "CURRENT_PERIOD_START":
        return period.at_or_before(now)
    if wanted is None or isinstance(wanted, str):
        return minute_floor(now)
    start = minute_floor(wanted)
    text = ""
    if start > minute_ceil(now):
        text = "measureUsageFrom must not lie in the future"
    elif period.number_at(now) - period.number_at(start) > PERIODS_BACK_MAX:
        text = f"measureUsageFrom must not lie more than {PERIODS_BACK_MAX} usage periods back"
    if text:
        raise Invalid(text, issues=(Issue(("measureUsageFrom",), text, "time_range"),))
    return start


def check_grant(draft: GrantDraft, *, not_before: datetime, at: Path) -> None:
    """Raise `Invalid` for a grant that cannot be, so also for one that takes effect before `not_before`."""
    issues = amount_issues((*at, "amount"), draft.amount)
    if draft.amount <= 0:
        text = "the amount of a grant must be positive"
        issues = [Issue((*at, "amount"), text, "grant_amount_must_be_positive")]
    issues += amount_issues((*at, "minRolloverAmount"), draft.min_rollover)
    if draft.max_rollover is not None:
        issues += amount_issues((*at, "maxRolloverAmount"), draft.max_rollover)
    if minute_floor(draft.effective_at) < not_before:
        start = format_instant(not_before)
        text = f"effectiveAt must not lie before the current usage period, which began at {start}"
        issues.append(Issue((*at, "effectiveAt"), text, "before_current_period"))
    refuse(issues)


def amount_issues(path: Path, amount: Decimal) -> list[Issue]:
    """What is wrong with an amount of credit: below nothing, too large, or of too many decimal places."""
    exponent = amount.normalize().as_tuple().exponent
    if amount < 0:
        return [Issue(path, f"{path[-1]} must not be negative", "minimum")]
    if amount > AMOUNT_MAX or (isinstance(exponent, int) and exponent < -DECIMALS_MAX):
        text = f"{path[-1]} must be at most {AMOUNT_MAX:.0e} and have at most {DECIMALS_MAX} decimal places"
        return [Issue(path, text, "out_of_range")]
    return []


def check_managed(subscription_id: object) -> None:
    """Raise `Forbidden` for what only its subscription may change."""
    if subscription_id is not None:
        raise Forbidden("entitlement is managed by subscription", code="managed_by_subscription")


def ended(named: str) -> PreconditionFailed:
    """The error for changing an entitlement that is not active any more."""
    return PreconditionFailed(f"entitlement is not active: {named[:100]}", code="entitlement_not_active")
