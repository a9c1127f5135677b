"""When a failed job is tried again."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterhouse.kernel.errors import Invalid
from meterhouse.monitoring import retries


@given(st.integers(1, retries.RETRIES_MAX), st.uuids())
def test_delays_grow_within_bounds(retry: int, job_id: UUID) -> None:
    delay_s = retries.delay_before(retry, job_id).total_seconds()
    base_s = min(600, 5 * 4 ** (retry - 1))
    assert 0.8 * base_s <= delay_s <= 1.2 * base_s
    assert retries.delay_before(retry, job_id).total_seconds() == delay_s


def test_quiet_is_bounded() -> None:
    assert retries.quiet_for(timedelta(days=400)) == timedelta(hours=1)
    assert retries.quiet_for(timedelta(seconds=7)) == timedelta(seconds=7)


@pytest.mark.parametrize("value", [-1, 11, 1.0, "2", True, []])
def test_other_numbers_are_refused(value: object) -> None:
    with pytest.raises(Invalid, match="max_retries") as refused:
        retries.check_retries(value)
    assert refused.value.issues[0].path == ("max_retries",)


def test_none_and_numbers() -> None:
    assert [retries.check_retries(one) for one in (None, 0, 10)] == [None, 0, 10]
