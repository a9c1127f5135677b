"""A really started server: the process that users start, on a folder of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import httpx

API_KEY = "sk_live_tests_0123456789abcdef"
START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 40


def free_port() -> int:
    """A port that nothing listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class ServerProcess:
    """`meterhouse up` in a process of its own. `output` holds what it printed."""

    def __init__(self, data: Path, *arguments: str, environment: Mapping[str, str] | None = None) -> None:
        self._arguments = arguments
        self.data = data
        self.port = free_port()
        self.base_url = f"http://127.0.0.1:{self.port}"
        self.api_key = API_KEY
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("METERHOUSE_")},
            "METERHOUSE_API_KEY": API_KEY,
            "METERHOUSE_FETCH_ALLOW": "127.0.0.0/8",
            "METERHOUSE_TEST_CLOCK": "1",
            **(environment or {}),
        }
        self._log = data.parent / f"{data.name}.log"
        self._process: subprocess.Popen[bytes] | None = None

    def _command(self) -> list[str]:
        return ["up", "--data", str(self.data), "--port", str(self.port), *self._arguments]

    @property
    def output(self) -> str:
        return self._log.read_text(errors="replace")

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.api_key}"}

    def start(self) -> ServerProcess:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "meterhouse", *self._command()],
                env=self._environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_TIMEOUT_S
        # Without certificates to read, a client costs nothing; nothing here is asked over TLS.
        with httpx.Client(base_url=self.base_url, timeout=5, trust_env=False, verify=False) as http:
            while time.monotonic() < deadline:
                if self._process.poll() is not None:
                    raise RuntimeError(f"the server ended with {self._process.returncode}:\n{self.output}")
                with contextlib.suppress(httpx.HTTPError):
                    if http.get("/readyz").status_code == 200:
                        return self
                time.sleep(0.05)
        self.kill()
        raise RuntimeError(f"the server is not ready after {START_TIMEOUT_S} s:\n{self.output}")

    def stop(self) -> int:
        """SIGTERM, and the exit code."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(STOP_TIMEOUT_S)

    def kill(self) -> None:
        """`kill -9` of the server; its embedded PostgreSQL is a process of its own and stays."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(STOP_TIMEOUT_S)

    def close(self) -> None:
        """Leave nothing behind, whatever state the server is in."""
        if self._process is not None and self._process.poll() is None:
            try:
                self.stop()
            except subprocess.TimeoutExpired:
                self.kill()
        pid_file = self.data / "postgres" / "postmaster.pid"
        if pid_file.exists():
            with contextlib.suppress(ProcessLookupError, ValueError):
                os.kill(int(pid_file.read_text().split()[0]), signal.SIGQUIT)


class ServeProcess(ServerProcess):
    """`meterhouse serve`: the API alone, on engines that are given in the environment."""

    def _command(self) -> list[str]:
        return ["serve", "--port", str(self.port)]
