"""What the published clients make of our refusals."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import pytest
from tests.wire.conftest import RunningServer
from tests.wire.recorder import Recorder

from meterhouse.apis.facade import Facade


@pytest.fixture
def unserved(facades: tuple[Facade, ...]) -> Any:
    """Skip a test of 501 once the operation that it calls is served."""

    def check(name: str, operation: str) -> None:
        if any(facade.name == name and operation in facade.served for facade in facades):
            pytest.skip(f"{operation} is served")

    return check


def meter_client(recorder: Recorder, key: str) -> Any:
    sdk = pytest.importorskip("meter_sdk")
    return sdk.MeterClient(api_key=key, base_url=recorder.url_for(f"meter-sdk {version('meter-sdk')}"))


def openmeter_client(recorder: Recorder, key: str) -> Any:
    sdk = pytest.importorskip("openmeter")
    return sdk.Client(endpoint=recorder.url_for(f"openmeter {version('openmeter')}"), token=key)


def test_meter_shows_the_detail(recorder: Recorder, server: RunningServer, unserved: Any) -> None:
    sdk = pytest.importorskip("meter_sdk")
    with pytest.raises(sdk.MeterError, match="Invalid or missing API key"):
        meter_client(recorder, "sk_live_nobody").list_schedules()
    unserved("meter", "list_schedules")
    with pytest.raises(sdk.MeterError, match="list_schedules is not implemented"):
        meter_client(recorder, server.api_key).list_schedules()


def test_openmeter_raises_by_status(recorder: Recorder, server: RunningServer, unserved: Any) -> None:
    exceptions = pytest.importorskip("corehttp.exceptions")
    with pytest.raises(exceptions.ClientAuthenticationError) as refused:
        openmeter_client(recorder, "sk_live_nobody").subjects.list()
    assert refused.value.status_code == 401
    unserved("openmeter", "listSubjects")
    with pytest.raises(exceptions.HttpResponseError) as caught:
        openmeter_client(recorder, server.api_key).subjects.list()
    assert caught.value.status_code == 501


def test_polar_raises_by_status(recorder: Recorder, server: RunningServer, unserved: Any) -> None:
    polar = pytest.importorskip("polar")
    module = pytest.importorskip("polar.v2026_10")
    url = recorder.url_for(f"polar-sdk {version('polar-sdk')}")
    with pytest.raises(polar.base.PolarError) as refused, module.Polar("nobody", base_url=url) as client:
        client.meters.list()
    assert "401" in str(refused.value) or "invalid_token" in str(refused.value), repr(refused.value)
    unserved("polar", "customer_meters:list")
    with (
        pytest.raises(polar.base.PolarServerError) as caught,
        module.Polar(server.api_key, base_url=url) as client,
    ):
        client.customer_meters.list()
    assert caught.value.status_code == 501
