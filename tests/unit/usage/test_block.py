"""Identity keys and blocks of columns."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from meterhouse.usage.block import ROWS_AT_ONCE, Identity, block_from_rows, microseconds, rows_from_events
from meterhouse.usage.model import Event

ORGANISATION = UUID("01900000-0000-7000-8000-000000000001")
names = st.text(st.characters(codec="utf-8"), max_size=6) | st.sampled_from(["", "1:", ":", "0:0:"])


@given(names, names, names, names)
def test_different_identities_have_different_keys(
    source: str, id: str, other_source: str, other_id: str
) -> None:
    key = Identity(ORGANISATION).key
    assert (key(source, id) == key(other_source, other_id)) == ((source, id) == (other_source, other_id))


@given(st.lists(st.tuples(st.sampled_from(["", "s", "s:1", "é"]) | names, names), max_size=8))
def test_keys_of_many_are_those_of_each(identities: list[tuple[str, str]]) -> None:
    texts = [f"{len(source)}:{source}{id}" for source, id in identities]
    hashed = [hashlib.blake2b(ORGANISATION.bytes + text.encode(), digest_size=16) for text in texts]

    assert Identity(ORGANISATION).keys(identities) == [one.digest() for one in hashed]


def test_organisations_do_not_share_keys() -> None:
    assert Identity(uuid4()).key("s", "1") != Identity(uuid4()).key("s", "1")


def test_the_key_of_an_identity_never_changes() -> None:
    """Stored keys outlive every version: this value must stay as it is."""
    assert Identity(ORGANISATION).key("svc/é", "id-1").hex() == "ca69548aac9459ff436a8887ab669879"


@given(st.datetimes(datetime(1900, 1, 1), datetime(2299, 12, 31), timezones=st.just(UTC)))
def test_microseconds_are_exact(instant: datetime) -> None:
    whole, part = divmod(microseconds(instant), 1_000_000)
    assert datetime.fromtimestamp(whole, UTC).replace(microsecond=part) == instant


def test_a_block_holds_the_rows_in_order() -> None:
    now = datetime(2024, 1, 2, 3, 4, 5, 6, tzinfo=UTC)
    events = [
        Event(ORGANISATION, "t", "s", str(n), "u", now, now, uuid4(), data=f'{{"n":{n}}}')
        for n in range(ROWS_AT_ONCE + 3)
    ]

    block = block_from_rows(rows_from_events(events), now, first_seq=7)

    assert block.num_rows == len(events)
    assert block.column("id").to_pylist() == [event.id for event in events]
    assert block.column("data").to_pylist() == [event.data.encode() for event in events]
    assert block.column("stored_at").to_pylist() == [now] * len(events)
    assert block.column("uid").to_pylist() == [event.uid.bytes for event in events]
