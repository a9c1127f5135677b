"""Scopes of the metering operations (polar 1.2): any one of those listed is enough."""

from __future__ import annotations

import pytest

from meterhouse.apis.polar import facade

READS_METERS = {"meters:read", "meters:write"}
READS_EVENTS = {"events:read", "events:write"}


@pytest.mark.parametrize(
    ("operation", "scopes"),
    [
        ("meters:list", READS_METERS),
        ("meters:get", READS_METERS),
        ("meters:quantities", READS_METERS),
        ("meters:events", READS_METERS),
        ("meters:create", {"meters:write"}),
        ("meters:update", {"meters:write"}),
        ("events:list", READS_EVENTS),
        ("events:get", READS_EVENTS),
        ("events:list_names", READS_EVENTS),
        ("events:ingest", {"events:write"}),
    ],
)
def test_an_operation_asks_for_the_published_scopes(operation: str, scopes: set[str]) -> None:
    facade.load()
    assert operation in facade.served
    # Handlers name no scopes of their own: the contract's hold.
    assert set(facade.contract.operations[operation].scopes) == scopes
