"""The three contracts, and facades over them without the product's own handlers."""

from __future__ import annotations

from meterhouse.apis import meter, openmeter, polar
from meterhouse.apis.facade import Facade
from meterhouse.apis.polar.admission import admit

METER = meter.facade.contract
OPENMETER = openmeter.facade.contract
POLAR = polar.facade.contract
ALL = {"meter": METER, "openmeter": OPENMETER, "polar": POLAR}


def meter_facade() -> Facade:
    return Facade("meter", METER, meter.facade.errors)


def openmeter_facade() -> Facade:
    return Facade("openmeter", OPENMETER, openmeter.facade.errors, document_path="/api/swagger.json")


def polar_facade() -> Facade:
    return Facade(
        "polar",
        POLAR,
        polar.facade.errors,
        checks_requests=False,
        redirects_slashes=True,
        headers=polar.facade.headers,
        admit=admit,
    )
