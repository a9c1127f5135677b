"""Customers on a real database: who owns what, and what may not be shared (openmeter 3.2, polar 11.2)."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from meterhouse.customers import queries, service
from meterhouse.customers.model import Address
from meterhouse.kernel.errors import Conflict, Invalid, NotFound, PreconditionFailed
from meterhouse.kernel.ids import new_id, to_ulid


def fields_of(refused: pytest.ExceptionInfo[Invalid]) -> list[tuple[str | int, ...]]:
    return [issue.path for issue in refused.value.issues]


async def test_a_customer_comes_back_as_it_was_made(books, clock):
    made = await books.create(
        key="acme",
        description="Anvils",
        subject_keys=("b", "a", "b"),
        primary_email="Ops@Acme.example",
        currency="EUR",
        billing_address=Address(country="DE", city="Köln", phone_number="+49"),
        metadata={"tier": "gold", "seats": 3, "is_new": True, "rate": 0.5},
    )
    assert made == await books.get("acme") == await books.get(made.id) == await books.get(to_ulid(made.id))
    assert made.subject_keys == ("b", "a")
    assert made.identifiers == ("acme", "b", "a")
    assert (made.created_at, made.modified_at) == (clock.now(), None)


async def test_an_openmeter_customer_needs_an_identifier(books):
    with pytest.raises(Invalid, match="key: is required"):
        await books.create()
    made = await books.create(subject_keys=("only",))
    with pytest.raises(Invalid, match="key: is required"):
        await books.replace(made.id)
    assert (await books.create("polar", primary_email="a@b.example")).identifiers == ()


async def test_keys_are_unique_in_every_way_that_the_reference_names(books):
    first = await books.create(key="first", subject_keys=("s1",))
    for taken in ("first", "s1", str(first.id), to_ulid(first.id)):
        with pytest.raises(Conflict):
            await books.create(key=taken)
    with pytest.raises(Conflict, match="s1"):
        await books.create(key="second", subject_keys=("s0", "s1"))
    second = await books.create(key="second", subject_keys=("first",))  # not checked, as the reference says
    owners = await books.owners("first", "s1", "second", "nobody", "\x00")
    assert {subject: owner.id for subject, owner in owners.items()} == {
        "first": first.id,  # the key's owner goes before the subject key's
        "s1": first.id,
        "second": second.id,
    }
    await books.replace(first.id, key="first", subject_keys=("s1",))  # keeping what one has is no conflict
    with pytest.raises(Conflict):
        await books.replace(first.id, key="second")


async def test_another_organisation_is_another_world(books, database, clock):
    made = await books.create(key="k", subject_keys=("s",), primary_email="a@b.example")
    other = type(books)(database, clock)
    twin = await other.create("polar", key="k", primary_email="a@b.example")
    assert await other.owners("k", "s") == {"k": twin}
    with pytest.raises(NotFound):
        await other.get(made.id)
    with pytest.raises(NotFound):
        await other.delete(made.id)


async def test_a_replacement_clears_what_it_does_not_name(books, clock):
    made = await books.create(
        key="k",
        description="d",
        subject_keys=("s",),
        primary_email="a@b.example",
        currency="USD",
        billing_address=Address(country="US"),
        metadata={"a": "b"},
        tax_id="123",
    )
    clock.move_to(clock.now() + timedelta(hours=1))
    after = await books.replace("k", name="New", subject_keys=("t",))
    assert (after.name, after.key, after.description, after.metadata) == ("New", None, None, {})
    assert (after.billing_address, after.subject_keys) == (None, ("t",))
    assert (after.primary_email, after.currency, after.tax_id) == ("a@b.example", "USD", "123")
    assert (after.created_at, after.modified_at) == (made.created_at, clock.now())
    assert after == await books.get(made.id)
    assert set(await books.owners("k", "s", "t")) == {"t"}


async def test_deleting_is_soft_and_frees_identifiers(books, clock):
    made = await books.create("polar", key="k", primary_email="a@b.example")
    await books.replace(made.id, key="k", subject_keys=("s",))
    await books.delete("k")
    assert await books.owners("k", "s") == {}
    gone = await books.get(made.id)
    assert (gone.deleted_at, gone.subject_keys) == (clock.now(), ("s",))
    with pytest.raises(NotFound):
        await books.get("k")
    with pytest.raises(NotFound):
        await books.delete("k")
    for again in (books.delete(made.id), books.replace(made.id, key="k"), books.update(made.id, name="x")):
        with pytest.raises(PreconditionFailed):
            await again
    heir = await books.create("polar", key="k", primary_email="A@B.example")
    assert await books.owners("k") == {"k": heir}
    assert await books.listed() == [heir]
    assert {c.id for c in await books.listed(include_deleted=True)} == {heir.id, made.id}


async def test_a_key_that_looks_like_an_id(books):
    made = await books.create(key="old")
    await books.delete("old")
    named = await books.create(key=to_ulid(made.id))
    assert await books.get(to_ulid(made.id)) == named  # a live customer goes before a deleted one
    with pytest.raises(NotFound):
        await books.get(new_id())


async def test_guards_may_refuse_a_deletion(books):
    made = await books.create(key="k")

    async def guard(connection, *, organisation_id, customer):
        assert (organisation_id, customer) == (books.organisation_id, made)
        raise Conflict("active entitlements")

    with pytest.raises(Conflict, match="active entitlements"):
        await books.delete("k", guards=(guard,))
    assert await books.get("k") == made


async def test_polar_reports_all_taken_identifiers_together(books):
    await books.create("polar", key="k", primary_email="Straße@b.example")
    with pytest.raises(Invalid) as refused:
        await books.create("polar", key="k", primary_email="STRASSE@B.EXAMPLE")
    assert [(i.path, i.message) for i in refused.value.issues] == [
        (("primary_email",), "A customer with this email address already exists."),
        (("key",), "A customer with this external ID already exists."),
    ]
    other = await books.create("polar", primary_email="c@b.example")
    with pytest.raises(Invalid) as refused:
        await books.update(other.id, key="k", primary_email="straße@B.example")
    assert fields_of(refused) == [("primary_email",), ("key",)]
    # OpenMeter lets addresses repeat, and a customer that has one already may keep it
    twin = await books.create(key="twin", primary_email="c@b.example")
    assert (await books.update(twin.id, name="Twin", primary_email="c@b.example")).name == "Twin"


async def test_polar_updates_change_what_they_name(books, clock):
    made = await books.create("polar", primary_email="a@b.example", metadata={"n": 1}, name=None)
    assert await books.update(made.id) == await books.update(made.id, name=None) == made
    clock.move_to(clock.now() + timedelta(seconds=1))
    after = await books.update(made.id, key="k", billing_address=Address(country="FR"), locale="fr")
    assert (after.key, after.locale, after.metadata) == ("k", "fr", {"n": 1})
    assert after.modified_at == clock.now()
    with pytest.raises(Invalid) as refused:
        await books.update(made.id, key="other", billing_address=None)
    assert [i.message for i in refused.value.issues] == [service.KEY_FIXED, service.ADDRESS_FIXED]
    with pytest.raises(Invalid):
        await books.update(made.id, key=None)
    assert await books.get("k") == after


async def test_anonymised_customers_keep_only_their_key(books):
    made = await books.create(
        "polar", key="k", name="N", primary_email="a@b.example", tax_id="1", metadata={"a": 1}
    )
    await books.delete(made.id, anonymize=True)
    gone = await books.get(made.id)
    assert (gone.key, gone.name, gone.primary_email, gone.tax_id, gone.metadata) == (
        "k",
        None,
        None,
        None,
        {},
    )
    assert gone.display_name == "k"


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"currency": "XAU"}, ("currency",)),
        ({"currency": "ZZZ"}, ("currency",)),
        ({"name": "x" * 257}, ("name",)),
        ({"key": "x" * 257}, ("key",)),
        ({"primary_email": "x" * 257}, ("primary_email",)),
        ({"description": "x" * 10_001}, ("description",)),
        ({"billing_address": Address(city="x" * 10_001)}, ("billing_address", "city")),
        ({"subject_keys": ["a", ""]}, ("subject_keys", 1)),
        ({"subject_keys": ["x" * 1_000_000]}, ("subject_keys", 0)),
        ({"subject_keys": [str(n) for n in range(1_001)]}, ("subject_keys",)),
        ({"metadata": {str(n): "" for n in range(101)}}, ("metadata",)),
        ({"metadata": {"k": "x" * 10_001}}, ("metadata", "k")),
    ],
)
async def test_fields_out_of_bounds_are_named(books, fields, path):
    with pytest.raises(Invalid) as refused:
        await books.create(**({"key": "k"} | fields))
    assert fields_of(refused) == [path]


async def test_the_longest_identifiers_fit_the_indexes(books):
    longest = tuple(chr(0x10000 + n) * (512 if n else 256) for n in range(3))
    made = await books.create(key=longest[0], subject_keys=longest[1:])
    assert set(await books.owners(*longest)) == set(longest)
    assert (await books.get(longest[0])).id == made.id


async def test_hostile_texts_are_only_texts(books):
    hostile = ("'", '"', "\\", "%", "_", "a'; DROP TABLE customers; --", "é", "\u202e", "{x:String}")
    made = await books.create(key=hostile[0], subject_keys=hostile[1:], name=hostile[5])
    assert {c.id for c in (await books.owners(*hostile)).values()} == {made.id}
    for text in hostile:
        assert [c.id for c in await books.listed(subject_contains=text)] == [made.id]
        with pytest.raises(NotFound):
            await books.get(f"{text}\x00")
    assert await books.listed(key_contains="\x00", metadata={"\x00": ("\x00",)}) == []


async def test_lists_filter_and_sort(books, clock):
    names = ("Beta", "alpha", "Gamma")
    for number, name in enumerate(names):
        clock.move_to(clock.now() + timedelta(seconds=1))
        await books.create(
            key=f"Key-{number}",
            name=name,
            subject_keys=(f"Sub-{number}",),
            primary_email=f"Mail{number}@X.example",
            metadata={"n": str(number)},
        )
    clock.move_to(clock.now() + timedelta(seconds=1))
    await books.create("polar", name=None, primary_email="zoe@x.example", metadata={"n": 1, "b": True})

    async def names_of(*sort, **criteria):
        return [customer.display_name for customer in await books.listed(*sort, **criteria)]

    assert await names_of(("created_at", False)) == [*names, "zoe@x.example"]
    assert await names_of(("created_at", True)) == ["zoe@x.example", *reversed(names)]
    assert sorted(await names_of()) == sorted([*names, "zoe@x.example"])
    assert await names_of(("id", True)) == ["zoe@x.example", *reversed(names)]
    assert await names_of(("email", True)) == ["zoe@x.example", "Gamma", "alpha", "Beta"]
    assert await names_of(key_contains="kEY-1") == ["alpha"]
    assert await names_of(name_contains="MM") == ["Gamma"]
    assert await names_of(email_contains="mail2@x") == ["Gamma"]
    assert await names_of(subject_contains="sUB-0") == ["Beta"]
    assert await names_of(subject_contains="%") == []
    assert await names_of(email="MAIL1@x.EXAMPLE") == ["alpha"]
    assert await names_of(email="mail1@x") == []
    assert await names_of(text="Key-2") == ["Gamma"]
    assert await names_of(text="ey-2") == []
    assert await names_of(text="ZOE@") == ["zoe@x.example"]
    assert await names_of(("created_at", False), metadata={"n": ("1", "2")}) == [
        "alpha",
        "Gamma",
        "zoe@x.example",
    ]
    assert await names_of(metadata={"n": ("1",), "b": ("true",)}) == ["zoe@x.example"]
    async with books.database.begin() as connection:
        page, total = await queries.list_customers(
            connection,
            organisation_id=books.organisation_id,
            sort=(("created_at", False),),
            limit=2,
            offset=1,
        )
    assert ([c.name for c in page], total) == (["alpha", "Gamma"], 4)


async def test_of_two_creations_at_once_one_wins(books):
    attempts = [books.create(key="k", subject_keys=(f"s{n}",)) for n in range(8)]
    outcomes = await asyncio.gather(*attempts, return_exceptions=True)
    assert [type(o) for o in outcomes if isinstance(o, BaseException)] == [Conflict] * 7
    assert len(await books.listed()) == 1


async def test_a_key_and_a_subject_key_given_at_once_meet(books):
    attempts = [books.create(key=f"k{n}", subject_keys=("same",)) for n in range(4)]
    attempts += [books.create(key="same") for _ in range(4)]
    outcomes = await asyncio.gather(*attempts, return_exceptions=True)
    assert all(isinstance(o, service.Customer | Conflict) for o in outcomes)
    owners = await books.owners("same")
    made = [o for o in outcomes if isinstance(o, service.Customer)]
    assert len([c for c in made if c.key == "same"]) <= 1
    assert len([c for c in made if c.subject_keys == ("same",)]) <= 1
    assert owners["same"].id in {c.id for c in made}


async def test_one_address_goes_to_one_of_many_at_once(books):
    attempts = [books.create("polar", primary_email=f"{'aA'[n % 2]}@b.example") for n in range(6)]
    outcomes = await asyncio.gather(*attempts, return_exceptions=True)
    assert [type(o) for o in outcomes if isinstance(o, BaseException)] == [Invalid] * 5


async def test_first_events_are_kept_until_identifiers_change(books):
    made = await books.create(key="k", subject_keys=("s",))
    at = datetime(2026, 2, 1, tzinfo=UTC)
    async with books.database.begin() as connection:
        await service.remember_first_events(
            connection, organisation_id=books.organisation_id, found={made.id: at}
        )
    assert (await books.replace("k", key="k", subject_keys=("s",), name="N")).first_event_at == at
    assert (await books.replace("k", key="k", subject_keys=("s", "t"))).first_event_at is None
    async with books.database.begin() as connection:
        found = await queries.find_customers(
            connection, organisation_id=books.organisation_id, ids=[made.id, new_id()]
        )
        assert set(found) == {made.id}
        assert await queries.find_customers(connection, organisation_id=books.organisation_id, ids=[]) == {}
