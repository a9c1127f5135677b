"""What happened between two instants: usage by windows and the burn-down by segments (openmeter 4.6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal, localcontext

from meterhouse.entitlements.engine.burn import Outcome, run
from meterhouse.entitlements.engine.timeline import Plan, Rules, plan_rules
from meterhouse.entitlements.model import History, Segment, State, UsageWindow
from meterhouse.kernel.exact import EXACT
from meterhouse.kernel.periods import Period, minute_floor
from meterhouse.usage.model import Aggregation


@dataclass(frozen=True)
class HistoryPlan:
    """The run that a history is told from, and its windows. `ranges` lists the usage that is needed."""

    run: Plan
    from_at: datetime
    windows: tuple[Period, ...]

    @property
    def ranges(self) -> tuple[Period, ...]:
        """Those of the run, then for a gauge those of the windows, which do not add up."""
        return (*self.run.ranges, *self._own_ranges)

    @property
    def _own_ranges(self) -> tuple[Period, ...]:
        if self.run.rules.aggregation is not Aggregation.LATEST:
            return ()
        end = self.run.ranges[-1].end if self.run.ranges else self.from_at
        return tuple(Period(start, min(stop, end)) for start, stop in self.windows if start < end)


def plan_history(
    rules: Rules,
    from_at: datetime,
    to_at: datetime,
    windows: Sequence[Period],
    *,
    start: State | None = None,
) -> HistoryPlan:
    """Plan the history of `[from_at, to_at)`, full minutes. `windows` cover it, in order.

    Windows that begin before measuring starts are left out. `start` stands before the first window.
    """
    measured_from = rules.entitlement.measure_usage_from
    assert measured_from is not None, "only a metered entitlement has a history"
    wanted = tuple(
        Period(minute_floor(begin), minute_floor(end)) for begin, end in windows if begin >= measured_from
    )
    looks = [moment for window in wanted for moment in window if moment <= to_at]
    planned = plan_rules(rules, to_at, start=start, looks=[*looks, to_at], cut=from_at)
    return HistoryPlan(planned, from_at, wanted)


def tell_history(planned: HistoryPlan, usages: Sequence[Decimal]) -> History:
    """Tell the history from the usages of `planned.ranges`."""
    count = len(planned.run.ranges)
    outcome = run(planned.run, usages[:count], is_detailed=True)
    segments = tuple(
        _from(segment, planned.from_at)
        for segment in outcome.segments
        if _is_within(segment, planned.from_at)
    )
    with localcontext(EXACT):
        windows = _windows(planned, outcome, usages[count:])
    return History(windows, segments)


def _is_within(segment: Segment, from_at: datetime) -> bool:
    start, end = segment.period
    return end > from_at or (start == end == from_at)


def _from(segment: Segment, from_at: datetime) -> Segment:
    """The phase of a gauge that was running at the beginning is shown from there."""
    if segment.period.start >= from_at:
        return segment
    return replace(segment, period=Period(from_at, segment.period.end))


def _windows(planned: HistoryPlan, outcome: Outcome, own: Sequence[Decimal]) -> tuple[UsageWindow, ...]:
    end = outcome.balance.at
    told = []
    for number, window in enumerate(planned.windows):
        if window.start not in outcome.looks:
            continue
        before = outcome.looks[window.start]
        used = outcome.looks[min(window.end, end)].used - before.used
        if planned.run.rules.aggregation is Aggregation.LATEST:
            used = own[number] if number < len(own) else Decimal(0)
        told.append(UsageWindow(window, used, before.balance))
    return tuple(told)
