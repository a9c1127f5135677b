"""Slows down those who guess keys."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network
from time import monotonic

FAILURES_MAX = 10
WINDOW_S = 60.0
PEERS_MAX = 10_000


@dataclass
class _Failures:
    since: float
    count: int = 0


class Throttle:
    """Counts failed sign-ins per client address within a window, in this process.

    Keys hold 256 random bits, so this is about noise and load; a count shared between processes would add
    a write to the database for every guess. Memory is bounded: the addresses seen longest ago are forgotten.
    """

    def __init__(self, time: Callable[[], float] = monotonic) -> None:
        self._time = time
        self._failures: OrderedDict[str, _Failures] = OrderedDict()

    def wait_s(self, peer: str) -> int:
        """How many seconds `peer` has to wait before its next try; 0 when it may try now."""
        found = self._failures.get(_group(peer))
        if found is None or found.count < FAILURES_MAX:
            return 0
        left = found.since + WINDOW_S - self._time()
        return max(0, int(left) + 1) if left > 0 else 0

    def record_failure(self, peer: str) -> None:
        now = self._time()
        group = _group(peer)
        found = self._failures.pop(group, None)
        if found is None or now >= found.since + WINDOW_S:
            found = _Failures(since=now)
        found.count += 1
        self._failures[group] = found
        while len(self._failures) > PEERS_MAX:
            self._failures.popitem(last=False)

    def record_success(self, peer: str) -> None:
        self._failures.pop(_group(peer), None)


def _group(peer: str) -> str:
    """One IPv6 customer has at least a /64 to choose addresses from, so that counts as one."""
    try:
        address = ip_address(peer)
    except ValueError:
        return peer[:100]
    if isinstance(address, IPv6Address):
        return str(ip_network(f"{address}/64", strict=False))
    return str(address)
