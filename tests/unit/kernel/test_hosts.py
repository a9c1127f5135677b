"""Hosts and what they ask for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from meterhouse.kernel.hosts import host_of, wait_asked_for

NOW = datetime(2026, 1, 15, 10, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://Shop.Example/a?b=c", "shop.example"),
        ("http://u:p@shop.example:8080/", "shop.example:8080"),
        ("http://[::1]:80/x", "[::1]:80"),
        ("http://[broken", ""),
        ("nowhere", ""),
    ],
)
def test_the_host_of_an_address(url: str, host: str) -> None:
    assert host_of(url) == host


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120),
        (" 0 ", 0),
        ("Thu, 15 Jan 2026 10:31:30 GMT", 90),
        ("Thu, 15 Jan 2026 10:00:00 GMT", 0),
        ("Thu, 15 Jan 2026 10:31:30 -0000", 90),
        ("soon", None),
        ("", None),
        ("-5", None),
        ("9" * 40, 10**8),
    ],
)
def test_how_long_to_wait(header: str, seconds: int | None) -> None:
    expected = None if seconds is None else timedelta(seconds=seconds)
    assert wait_asked_for(header, NOW) == expected
