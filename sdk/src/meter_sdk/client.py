"""The clients and their error, under the module name of the published package."""

from __future__ import annotations

from ._async.client import AsyncMeterClient
from ._sync.client import MeterClient
from .errors import MeterError

__all__ = ["AsyncMeterClient", "MeterClient", "MeterError"]
