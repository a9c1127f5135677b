"""`meterhouse up`, `serve` and `worker`: one process around the composition root."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import uvicorn

from meterhouse.app import Running, running
from meterhouse.kernel.errors import Invalid
from meterhouse.platform.telemetry import configure_logging
from meterhouse.settings import Settings

# Clients that poll every 5 s must not race with the close of an idle connection.
KEEP_ALIVE_S = 75
DRAIN_S = 25
GARBAGE_ALLOCATIONS = 20_000  # more objects made than gone, before the young ones are walked
# How long a thread that computes may keep the event loop waiting.
THREAD_TURN_S = 0.001
BACKLOG = 2048


@dataclass(frozen=True)
class Tour:
    """What the first walk should look at; empty means the bundled shop."""

    url: str = ""
    ask: str = ""


class _Server(uvicorn.Server):
    """A server that leaves signals to us: its own handling ends the process before the rest is stopped."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def stop(self) -> None:
        """Take no more connections and finish what is in hand; asked twice, finish nothing."""
        self.force_exit = self.should_exit
        self.should_exit = True


def _on_signals(stop: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)


async def serve(settings: Settings, *, host: str, port: int, worker: bool, tour: Tour | None) -> None:
    """Serve until SIGTERM or SIGINT, then finish what is in hand."""
    sys.setswitchinterval(THREAD_TURN_S)
    # On the tour the terminal belongs to the newcomer: only what is wrong is logged.
    configure_logging(level="info" if tour is None else "warning")
    listener = _listen(host, port)
    if tour is not None and not tour.url:
        # The bundled shop is served by this very server, so its own address may be fetched.
        own = f"{_url_host(host)}:{listener.getsockname()[1]}"
        settings = settings.model_copy(
            update={"fetch_allow": ",".join(filter(None, (settings.fetch_allow, own)))}
        )
    with contextlib.closing(listener):
        base_url = f"http://{_url_host(host)}:{listener.getsockname()[1]}"
        async with running(settings, worker=worker) as started:
            server = _Server(_config(started))
            _on_signals(server.stop)
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            while not server.started and not serving.done():
                await asyncio.sleep(0.01)
            if server.started:
                _settle_memory()
                await _greet(settings, started, base_url, tour)
            await serving


async def work(settings: Settings) -> None:
    """Run background tasks until SIGTERM or SIGINT."""
    configure_logging()
    stop = asyncio.Event()
    _on_signals(stop.set)
    async with running(settings, api=False):
        _settle_memory()
        print("Working. Stop with Ctrl-C.", flush=True)
        await stop.wait()


def _settle_memory() -> None:
    """Take what the start has made out of garbage collection: walking it would hold up every request.

    And walk the rest less often: a batch of events makes hundreds of objects that soon go without it.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_ALLOCATIONS)


def _config(started: Running) -> uvicorn.Config:
    return uvicorn.Config(
        started.asgi,
        http="httptools",
        loop="uvloop",
        lifespan="off",
        access_log=False,
        log_config=None,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=DRAIN_S,
        server_header=False,
        proxy_headers=False,
    )


def _listen(host: str, port: int) -> socket.socket:
    """Bind before anything is started. Raises `Invalid` when the address is taken or not ours."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Head and body are two writes. Held together, the second would wait for the client's delayed
        # acknowledgement: 40 ms for every answer on a kept connection. Accepted connections inherit this.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.bind((host, port))
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise Invalid(
                f"Port {port} on {host} is in use by another program. Choose another with --port."
            ) from error
        raise Invalid(f"Cannot listen on {host}:{port}: {error.strerror}.") from error
    listener.setblocking(False)
    return listener


def _url_host(host: str) -> str:
    if host in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


async def _greet(settings: Settings, started: Running, base_url: str, tour: Tour | None) -> None:
    if tour is not None:
        from meterhouse.cli.tour import walk

        await walk(settings, started, base_url, url=tour.url, ask=tour.ask)
        return
    secret = started.first_key.secret if started.first_key and not settings.api_key else None
    print(f"Meterhouse is ready at {base_url}", flush=True)
    print(
        f"  console   {base_url}/\n  API docs  {base_url}/docs\n  data      {settings.data_dir}", flush=True
    )
    if secret:
        print(f"  API key   {secret}   (shown only now)", flush=True)
