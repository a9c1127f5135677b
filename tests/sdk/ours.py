"""Our client beside the published one of the same import name: loaded under another name."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[2]
SDK = ROOT / "sdk"
PACKAGE = SDK / "src" / "meter_sdk"
ALIAS = "meterhouse_client_under_test"


def _load() -> ModuleType:
    if ALIAS in sys.modules:
        return sys.modules[ALIAS]
    spec = importlib.util.spec_from_file_location(
        ALIAS, PACKAGE / "__init__.py", submodule_search_locations=[str(PACKAGE)]
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[ALIAS] = module
    spec.loader.exec_module(module)
    return module


sdk = _load()


def environment(**more: str) -> dict[str, str]:
    """The environment of a user who has installed our client."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("METER_")}
    return {**kept, "PYTHONPATH": str(SDK / "src"), **more}


def run(code: str, *, timeout_s: float = 60, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a user's program in a process of its own, where `meter_sdk` is ours."""
    return subprocess.run(
        [sys.executable, "-c", code],
        env=environment(**more),
        capture_output=True,
        text=True,
        timeout=timeout_s,
        cwd=SDK,
    )
