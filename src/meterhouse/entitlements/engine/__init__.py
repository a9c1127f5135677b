"""The burn-down of grants: pure functions on frozen data, exact decimals, whole minutes.

`plan` says which stretches of time matter and whose usage is needed; `run` burns that usage.
"""

from meterhouse.entitlements.engine.burn import Outcome, run
from meterhouse.entitlements.engine.periods import cadence_at, last_reset_at, usage_period_at
from meterhouse.entitlements.engine.timeline import Plan, Rules, plan

__all__ = ["Outcome", "Plan", "Rules", "cadence_at", "last_reset_at", "plan", "run", "usage_period_at"]
