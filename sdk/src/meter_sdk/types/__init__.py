"""Typed mappings of what the operations take and give: `types.meter.Job`, `types.openmeter.Meter`, ….

They are dictionaries at run time; the classes exist for editors and type checkers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import meter, openmeter, polar

__all__ = ["meter", "openmeter", "polar"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from importlib import import_module

        return import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
