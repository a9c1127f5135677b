"""Collect, meter and bill from one import: the Python client of Meterhouse.

    from meter_sdk import MeterClient

    client = MeterClient()  # METER_API_KEY and METER_BASE_URL from the environment
    client.events.ingest_event({"id": "1", "source": "shop", "type": "request", "subject": "customer-1"})

`MeterClient` and `AsyncMeterClient` have the same methods. Everything raised is a `MeterError`; see `errors`.
Names are loaded when they are first used, so importing this package costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._config import VERSION as __version__

if TYPE_CHECKING:
    from . import errors, types, webhooks
    from ._async.client import AsyncMeterClient
    from ._sync.client import MeterClient
    from .errors import MeterError
    from .workflow import Filter, Workflow, WorkflowNode

_HOMES = {
    "AsyncMeterClient": "._async.client",
    "Filter": ".workflow",
    "MeterClient": "._sync.client",
    "MeterError": ".errors",
    "Workflow": ".workflow",
    "WorkflowNode": ".workflow",
}
_MODULES = ("errors", "types", "webhooks")


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in _MODULES:
        return import_module(f".{name}", __name__)
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(home, __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


__all__ = [
    "AsyncMeterClient",
    "Filter",
    "MeterClient",
    "MeterError",
    "Workflow",
    "WorkflowNode",
    "__version__",
    "errors",
    "types",
    "webhooks",
]
