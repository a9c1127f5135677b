"""Failed sign-ins per address: counted, forgotten, bounded."""

from __future__ import annotations

import pytest

from meterhouse.console import throttle as module
from meterhouse.console.throttle import FAILURES_MAX, WINDOW_S, Throttle


class Time:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


def fail(throttle: Throttle, peer: str, times: int = FAILURES_MAX) -> None:
    for _ in range(times):
        throttle.record_failure(peer)


def test_the_window_opens_again(time: Time):
    throttle = Throttle(time)
    fail(throttle, "192.0.2.1", FAILURES_MAX - 1)
    assert throttle.wait_s("192.0.2.1") == 0
    throttle.record_failure("192.0.2.1")
    assert throttle.wait_s("192.0.2.1") == int(WINDOW_S) + 1
    assert throttle.wait_s("192.0.2.2") == 0
    time.now += WINDOW_S
    assert throttle.wait_s("192.0.2.1") == 0
    throttle.record_failure("192.0.2.1")
    assert throttle.wait_s("192.0.2.1") == 0


def test_a_success_clears_the_count(time: Time):
    throttle = Throttle(time)
    fail(throttle, "192.0.2.1", FAILURES_MAX - 1)
    throttle.record_success("192.0.2.1")
    throttle.record_failure("192.0.2.1")
    assert throttle.wait_s("192.0.2.1") == 0


def test_addresses_of_one_ipv6_network_count_together(time: Time):
    throttle = Throttle(time)
    for number in range(FAILURES_MAX):
        throttle.record_failure(f"2001:db8::{number:x}")
    assert throttle.wait_s("2001:db8::ffff") > 0
    assert throttle.wait_s("2001:db8:1::1") == 0


def test_memory_is_bounded(time: Time, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "PEERS_MAX", 5)
    throttle = Throttle(time)
    for number in range(100):
        throttle.record_failure(f"192.0.2.{number}")
    assert len(throttle._failures) == 5
    assert throttle.wait_s("not an address") == 0
