"""Telling "not given" from `None`, so that `None` can clear a field."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])


class Unset:
    """The type of `UNSET`, the default of arguments for which `None` means "clear"."""

    def __repr__(self) -> str:
        return "None"

    def __bool__(self) -> bool:
        return False


UNSET: Any = Unset()


def clearable(function: Function) -> Function:
    """Show `None` as the default of arguments that default to `UNSET`.

    Calls that leave the argument out do what they did with the published client, whose default is `None`;
    signatures, and tools that read them, stay the same. Only an explicit `None` is new: it clears.
    """
    signature = inspect.signature(function)
    shown = [
        parameter.replace(default=None) if parameter.default is UNSET else parameter
        for parameter in signature.parameters.values()
    ]
    function.__signature__ = signature.replace(parameters=shown)  # type: ignore[attr-defined]
    return function


def given(**fields: Any) -> dict[str, Any]:
    """The fields that were given: without `None` and `UNSET`."""
    return {name: value for name, value in fields.items() if value is not None and value is not UNSET}


def changed(**fields: Any) -> dict[str, Any]:
    """The fields to change: without `UNSET`; `None` stays and clears."""
    return {name: value for name, value in fields.items() if value is not UNSET}
