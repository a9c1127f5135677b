"""Every release of Polar's client that the reference names, each in a process of its own.

Importing one costs more than walking with it, so the processes run beside the other tests of the tier: they
are started with the first test, and asked for their outcome here.
"""

from __future__ import annotations

from importlib.metadata import version

import pytest
from tests.wire.releases import RELEASES, Walks


@pytest.mark.parametrize("release", RELEASES)
def test_a_release_walks_the_metering_operations(release: str, release_walks: Walks) -> None:
    walked = release_walks.outcome(release)
    assert walked.returncode == 0, walked.stderr
    assert walked.stdout.strip() == "walked"


def test_every_release_of_the_list_is_walked() -> None:
    named = (
        "0.15.0 0.16.1 0.16.11 0.16.13 0.17.2 0.19.2 0.22.1 0.22.8 0.23.0 0.25.0 0.27.0 0.28.0 0.28.1 0.29.0 "
        "0.31.3 0.31.7 0.32.0 1.0.0 1.0.2 1.0.3a5"
    )
    assert sorted([*RELEASES, version("polar-sdk")]) == sorted(named.split())
