"""Fixtures for all tiers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.server import ServerProcess
from tests.thoroughness import load_profile

load_profile()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """One started server shared by the tests that only talk to it."""
    process = ServerProcess(tmp_path_factory.mktemp("server") / "data")
    try:
        yield process.start()
    finally:
        process.close()
