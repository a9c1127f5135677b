"""Subjects on a real database (openmeter 3.1)."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from meterhouse.customers import queries
from meterhouse.kernel.errors import Invalid, NotFound
from meterhouse.kernel.ids import to_ulid


async def test_an_upsert_changes_what_it_names(books, clock):
    (made,) = await books.upsert(("s", {"display_name": "S", "metadata": {"a": {"b": [1]}}}))
    assert (made.modified_at, made.metadata) == (None, {"a": {"b": [1]}})
    assert made == await books.subject("s") == await books.subject(to_ulid(made.id))
    clock.move_to(clock.now() + timedelta(minutes=1))
    assert await books.upsert(("s", {})) == [made]
    kept, other = await books.upsert(("s", {"stripe_customer_id": "cus_1"}), ("t", {}))
    assert (kept.display_name, kept.metadata, kept.stripe_customer_id) == ("S", {"a": {"b": [1]}}, "cus_1")
    assert kept.modified_at == clock.now()
    assert other.key == "t"
    (cleared,) = await books.upsert(("s", {"display_name": None, "metadata": None}))
    assert (cleared.display_name, cleared.metadata, cleared.stripe_customer_id) == (None, None, "cus_1")
    assert cleared == await books.subject("s")


async def test_one_key_twice_in_an_upsert(books):
    first, second = await books.upsert(("s", {"display_name": "1"}), ("s", {"stripe_customer_id": "cus_2"}))
    assert first == second == await books.subject("s")
    assert (first.display_name, first.stripe_customer_id) == ("1", "cus_2")


async def test_faults_are_named_and_nothing_is_stored(books):
    drafts = [
        ("good", {}),
        ("", {}),
        ("x" * 513, {}),
        ("s", {"stripe_customer_id": "sub_1"}),
        ("s", {"stripe_customer_id": "cus_" + "x" * 300}),
        ("s", {"display_name": "x" * 10_001}),
    ]
    with pytest.raises(Invalid) as refused:
        await books.upsert(*drafts)
    assert [issue.path for issue in refused.value.issues] == [
        (1, "key"),
        (2, "key"),
        (3, "stripe_customer_id"),
        (4, "stripe_customer_id"),
        (5, "display_name"),
    ]
    with pytest.raises(NotFound):
        await books.subject("good")


async def test_very_many_at_once(books):
    with pytest.raises(Invalid, match="At most 10000"):
        await books.upsert(*[("s", {})] * 10_001)


async def test_customers_provide_subjects_for_their_subject_keys(books):
    (known,) = await books.upsert(("a", {"display_name": "A"}))
    await books.create(key="k", subject_keys=("a", "b"))
    assert await books.subject("a") == known
    assert (await books.subject("b")).display_name is None
    with pytest.raises(NotFound):
        await books.subject("k")
    await books.replace("k", key="k", subject_keys=("c",))
    assert (await books.subject("c")).key == "c"
    assert (await books.subject("b")).deleted_at is None
    async with books.database.begin() as connection:
        ours = {"connection": connection, "organisation_id": books.organisation_id}
        assert [s.key for s in await queries.list_subjects(**ours)] == ["a", "b", "c"]
        assert set(await queries.find_subjects(**ours, keys=["a", "zzz", "\x00"])) == {"a"}
        assert await queries.find_subjects(**ours, keys=[]) == {}


async def test_a_deleted_subject_leaves_its_customer(books, clock):
    customer = await books.create(key="k", subject_keys=("a", "b"))
    gone = await books.subject("a")
    await books.delete_subject("a")
    assert (await books.get("k")).subject_keys == ("b",)
    assert set(await books.owners("a", "b")) == {"b"}
    assert (await books.subject(gone.id)).deleted_at == clock.now()
    with pytest.raises(NotFound):
        await books.delete_subject("a")
    await books.delete_subject(gone.id)
    heir = await books.create(key="other", subject_keys=("a",))
    assert (await books.owners("a"))["a"] == heir
    await books.delete_subject(gone.id)  # the key is the heir's now
    assert (await books.owners("a"))["a"] == heir
    assert (await books.get(customer.id)).subject_keys == ("b",)


async def test_many_upserts_at_once(books):
    keys = [f"s{n}" for n in range(20)]
    orders = [keys, keys[::-1], keys[10:] + keys[:10]]
    await asyncio.gather(
        *(books.upsert(*((key, {"display_name": key}) for key in order)) for order in orders)
    )
    async with books.database.begin() as connection:
        listed = await queries.list_subjects(connection, organisation_id=books.organisation_id)
    assert sorted(s.key for s in listed) == sorted(keys)
