"""Refusals that are Polar's own words for a rule of the usage context or of the key."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from meterhouse.kernel.errors import Invalid, Issue

ORGANISATION_TOKEN = "Setting organization_id is disallowed when using an organization token."  # noqa: S105


def refuse_organisation(named: Mapping[tuple[str | int, ...], UUID | None]) -> None:
    """Raise `Invalid` where a body names an organisation: every key belongs to one, so it is implied."""
    issues = [
        Issue((*at, "organization_id"), ORGANISATION_TOKEN, "organization_token", str(organisation_id))
        for at, organisation_id in named.items()
        if organisation_id is not None
    ]
    if issues:
        raise Invalid(ORGANISATION_TOKEN, issues=issues)
