"""What a worker does for monitoring: run jobs, and scan for due schedules and for usage not sent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from meterhouse.kernel.clock import Clock
from meterhouse.monitoring.announce import SOURCE, JobNotices
from meterhouse.monitoring.model import UsageSink
from meterhouse.monitoring.runner import JobRunner
from meterhouse.monitoring.schedules_due import run_due_schedules
from meterhouse.monitoring.usage import emit_usage
from meterhouse.platform.ports import Database
from meterhouse.webhooks.model import Renderer


@dataclass(frozen=True)
class MonitoringTasks:
    """The runner and the scans, with all they work on. `scans` are what a worker registers."""

    database: Database
    runner: JobRunner
    usage: UsageSink
    clock: Clock

    @property
    def scans(self) -> Mapping[str, Callable[[datetime], Awaitable[int]]]:
        return {
            "monitoring.schedules": self.run_due_schedules,
            "monitoring.usage": self.emit_waiting_usage,
        }

    @property
    def renderers(self) -> Mapping[str, Renderer]:
        """Who words the messages that are announced here."""
        return {SOURCE: JobNotices(self.database)}

    async def run_due_schedules(self, now: datetime) -> int:
        """Make the runs of all schedules that are due."""
        return await run_due_schedules(self.database, now)

    async def emit_waiting_usage(self, now: datetime) -> int:
        """Send usage events written but not sent, because the process died or the store was away."""
        return await emit_usage(self.database, self.usage, self.clock, but_not=self.runner.unsent)
