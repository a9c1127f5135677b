"""What the published clients make of our refusals."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import meter_sdk
import openmeter
import polar
import pytest
from corehttp import exceptions
from polar import v2026_10
from tests.server import ServerProcess
from tests.wire.recorder import Recorder


def meter_client(recorder: Recorder, key: str) -> Any:
    return meter_sdk.MeterClient(api_key=key, base_url=recorder.url_for(f"meter-sdk {version('meter-sdk')}"))


def openmeter_client(recorder: Recorder, key: str) -> Any:
    return openmeter.Client(endpoint=recorder.url_for(f"openmeter {version('openmeter')}"), token=key)


def test_meter_shows_the_detail(recorder: Recorder) -> None:
    with pytest.raises(meter_sdk.MeterError, match="Invalid or missing API key"):
        meter_client(recorder, "sk_live_nobody").list_schedules()


def test_openmeter_raises_by_status(recorder: Recorder, server: ServerProcess) -> None:
    with pytest.raises(exceptions.ClientAuthenticationError) as refused:
        openmeter_client(recorder, "sk_live_nobody").subjects.list()
    assert refused.value.status_code == 401
    with pytest.raises(exceptions.ResourceNotFoundError) as caught:
        openmeter_client(recorder, server.api_key).subjects.get("nobody")
    assert caught.value.status_code == 404


def test_polar_raises_by_status(recorder: Recorder, server: ServerProcess) -> None:
    url = recorder.url_for(f"polar-sdk {version('polar-sdk')}")
    with pytest.raises(polar.base.PolarError) as refused, v2026_10.Polar("nobody", base_url=url) as client:
        client.meters.list()
    assert "401" in str(refused.value) or "invalid_token" in str(refused.value), repr(refused.value)
    with (
        pytest.raises(polar.base.PolarClientError) as caught,
        v2026_10.Polar(server.api_key, base_url=url) as client,
    ):
        client.customer_meters.get("00000000-0000-4000-8000-000000000000")
    assert caught.value.status_code == 404
