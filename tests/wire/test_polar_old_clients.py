"""Old Polar clients, one per seed shape, each in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest
from tests.server import ServerProcess
from tests.wire.recorder import Recorder

ROOT = Path(__file__).parents[2]
TIMEOUT_S = 120


@pytest.mark.parametrize("release", ["0.16.11", "0.32.0"])
def test_an_old_client_walks_the_metering_operations(
    release: str, recorder: Recorder, server: ServerProcess
) -> None:
    folder = ROOT / ".clients" / f"polar-{release}"
    assert folder.exists(), f"polar-sdk {release} is not installed: make install-dev"
    arguments = [release, recorder.url_for(f"polar-sdk {release}"), server.api_key, uuid4().hex[:12]]
    walked = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("polar_old_client.py")), *arguments],
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert walked.returncode == 0, walked.stderr
    assert walked.stdout.strip() == "walked"
