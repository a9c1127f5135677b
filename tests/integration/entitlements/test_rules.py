"""What may be entitled, granted, voided and reset, and what each leaves behind (openmeter 4.2 to 4.5)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from tests.integration.entitlements.desk import MINUTE, START

from meterhouse.entitlements.drafts import CadenceDraft, GrantDraft
from meterhouse.entitlements.engine import last_reset_at, usage_period_at
from meterhouse.entitlements.model import EntitlementType, Expiration
from meterhouse.entitlements.queries import (
    EntitlementCriteria,
    GrantCriteria,
    get_entitlement,
    grants_of,
    list_entitlements,
    list_grants,
    resets_of,
)
from meterhouse.entitlements.rules import GRANTS_AT_CREATION_MAX
from meterhouse.kernel.errors import Forbidden, Invalid, NotFound, PreconditionFailed
from meterhouse.kernel.periods import Period

BOOLEAN, STATIC = EntitlementType.BOOLEAN, EntitlementType.STATIC
MARCH = datetime(2026, 3, 1, tzinfo=UTC)


def codes(refused) -> list[str]:
    return [issue.code for issue in refused.value.issues] or [refused.value.code]


async def test_what_is_made_is_what_is_read(desk):
    period = CadenceDraft("P1M", datetime(2026, 1, 31, 6, 30, 59, tzinfo=UTC))
    made = await desk.create(
        usage_period=period, is_soft_limit=True, preserve_overage_at_reset=True, metadata={"team": "ai"}
    )
    assert (made.active_from, made.measure_usage_from) == (START, MINUTE)
    assert made.usage_period.anchor == period.anchor.replace(second=0)
    stored = await desk.read(get_entitlement, organisation_id=desk.organisation_id, entitlement_id=made.id)
    assert stored == made
    # the first period begins where measuring does, and ends where the anchor says
    end = datetime(2026, 3, 31, 6, 30, tzinfo=UTC)
    assert usage_period_at(made, (), START) == Period(MINUTE, end)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (None, MINUTE),
        ("NOW", MINUTE),
        ("CURRENT_PERIOD_START", MARCH),
        (MARCH - timedelta(days=400, seconds=-7), MARCH - timedelta(days=400)),
        (START + timedelta(seconds=20), MINUTE),
        (MINUTE + timedelta(seconds=61), MINUTE + timedelta(minutes=1)),  # a client's clock may be ahead
    ],
)
async def test_where_measuring_begins(desk, wanted, expected):
    made = await desk.create(usage_period=CadenceDraft("MONTH", MARCH), measure_usage_from=wanted)
    assert made.measure_usage_from == expected


METERED_FAULTS = [
    ({"usage_period": None}, "missing"),
    ({"usage_period": CadenceDraft("PT59M")}, "invalid_interval"),
    ({"usage_period": CadenceDraft("PT1H1S")}, "invalid_interval"),
    ({"usage_period": CadenceDraft("P")}, "invalid_interval"),
    ({"usage_period": CadenceDraft("P0.5D")}, "invalid_interval"),
    ({"measure_usage_from": START + timedelta(minutes=2)}, "time_range"),
    ({"usage_period": CadenceDraft("PT1H"), "measure_usage_from": MARCH.replace(year=2023)}, "time_range"),
    ({"config": "{}"}, "invalid_value"),
    ({"issue_after_reset_priority": 3}, "amount_required"),
    ({"issue_after_reset": Decimal(-1)}, "minimum"),
    ({"issue_after_reset": Decimal("1e21")}, "out_of_range"),
    ({"issue_after_reset": Decimal("1e-21")}, "out_of_range"),
    ({"issue_after_reset": Decimal("Infinity")}, "out_of_range"),
    ({"issue_after_reset": Decimal(5), "grants": (GrantDraft(Decimal(1), START),)}, "conflicting_grants"),
    ({"grants": (GrantDraft(Decimal(0), START),)}, "grant_amount_must_be_positive"),
    ({"grants": (GrantDraft(Decimal(1), START),) * (GRANTS_AT_CREATION_MAX + 1)}, "too_many_grants"),
    ({"grants": (GrantDraft(Decimal(1), START - timedelta(minutes=1)),)}, "before_current_period"),
    ({"feature_key": None}, "missing"),
]
OTHER_FAULTS = [
    ({"type": BOOLEAN, "config": "{}"}, "invalid_value"),
    ({"type": BOOLEAN, "is_soft_limit": False}, "invalid_value"),
    ({"type": BOOLEAN, "grants": ()}, "invalid_value"),
    ({"type": STATIC, "config": "{}", "issue_after_reset": Decimal(1)}, "invalid_value"),
    ({"type": STATIC, "config": "{}", "measure_usage_from": "NOW"}, "invalid_value"),
    ({"type": STATIC}, "missing"),
    ({"type": STATIC, "config": "{"}, "invalid_json"),
    ({"type": STATIC, "config": "NaN"}, "invalid_json"),
    ({"type": STATIC, "config": "[" * 30_000}, "invalid_json"),
    ({"type": STATIC, "config": '"' + "x" * 65_536 + '"'}, "too_long"),
    ({"type": BOOLEAN, "usage_period": CadenceDraft("PT1S")}, "invalid_interval"),
]


@pytest.mark.parametrize(("given", "code"), METERED_FAULTS + OTHER_FAULTS)
async def test_what_is_refused(desk, given, code):
    with pytest.raises(Invalid) as refused:
        await desk.create(**given)
    assert code in codes(refused)
    found, total = await desk.read(list_entitlements, organisation_id=desk.organisation_id)
    assert (found, total) == ([], 0)


async def test_a_feature_must_be_live_and_for_metering_have_a_meter(desk):
    archived = await desk.a_feature("old")
    await desk.archive("old")
    for given in ({"feature_key": "old"}, {"feature_id": str(archived.id)}, {"feature_key": "none"}):
        with pytest.raises(NotFound):
            await desk.create(type=BOOLEAN, **given)
    flag = await desk.a_feature("flag")
    with pytest.raises(Invalid) as refused:
        await desk.create(feature_key="flag")
    assert codes(refused) == ["feature_without_meter"]
    made = await desk.create(type=BOOLEAN, feature_id=str(flag.id), feature_key="old")  # the id goes first
    assert (made.feature_id, made.feature_key) == (flag.id, "flag")


async def test_what_is_issued_after_each_reset_is_a_grant(desk):
    made = await desk.create(issue_after_reset=Decimal("10.5"), measure_usage_from=MARCH)
    (grant,) = (await desk.read(grants_of, entitlement_ids=[made.id]))[made.id]
    assert (grant.amount, grant.min_rollover, grant.max_rollover) == (Decimal("10.5"),) * 3
    assert (grant.priority, grant.effective_at, grant.expires_at) == (1, MARCH, None)
    assert grant.annotations == {"issueAfterReset": True}
    await desk.delete()
    made = await desk.create(issue_after_reset=Decimal(0), issue_after_reset_priority=2)
    assert (await desk.read(grants_of, entitlement_ids=[made.id]))[made.id] == ()


async def test_grants_made_with_an_entitlement(desk):
    wanted = GrantDraft(
        Decimal("0.1"),
        START,
        priority=7,
        expiration=Expiration("MONTH", 1),
        recurrence=CadenceDraft("DAY"),
        metadata={"a": "b"},
        annotations={"deal": 7},
    )
    made = await desk.create(grants=(wanted, GrantDraft(Decimal(5), START + timedelta(days=90))))
    first, second = (await desk.read(grants_of, entitlement_ids=[made.id]))[made.id]
    assert (first.amount, first.priority, first.effective_at) == (Decimal("0.1"), 7, MINUTE)
    assert first.expires_at == MINUTE.replace(month=4)
    assert first.recurrence.anchor == MINUTE
    assert (first.min_rollover, first.max_rollover) == (0, Decimal("0.1"))
    assert (first.metadata, first.annotations) == ({"a": "b"}, {"deal": 7})
    assert (second.priority, second.expires_at, second.recurrence) == (0, None, None)


@pytest.mark.parametrize(
    ("amount", "given", "code"),
    [
        (0, {}, "grant_amount_must_be_positive"),
        (-1, {}, "grant_amount_must_be_positive"),
        ("1e21", {}, "out_of_range"),
        (1, {"min_rollover": Decimal(-1)}, "minimum"),
        (1, {"max_rollover": Decimal("1e-30")}, "out_of_range"),
        (1, {"effective_at": MINUTE - timedelta(seconds=1)}, "before_current_period"),
        (1, {"recurrence": CadenceDraft("PT30M")}, "invalid_interval"),
    ],
)
async def test_grants_that_are_refused(desk, amount, given, code):
    made = await desk.create()
    with pytest.raises(Invalid) as refused:
        await desk.grant(amount, **given)
    assert codes(refused) == [code]
    assert (await desk.read(grants_of, entitlement_ids=[made.id]))[made.id] == ()


async def test_only_a_metered_entitlement_has_credit(desk):
    await desk.create(type=BOOLEAN)
    for call in (desk.grant(), desk.reset()):
        with pytest.raises(Invalid) as refused:
            await call
        assert codes(refused) == ["entitlement_not_metered"]


async def test_voiding(desk):
    await desk.create(usage_period=CadenceDraft("DAY"))
    grant = await desk.grant()
    desk.move(hours=25)
    day = MINUTE + timedelta(days=1)
    for at, code in (
        (day - timedelta(minutes=1), "before_current_period"),
        (day.replace(year=2027), "in_future"),
    ):
        with pytest.raises(Invalid) as refused:
            await desk.void(grant, at)
        assert codes(refused) == [code]
    voided = await desk.void(grant, day + timedelta(seconds=59))
    assert voided.voided_at == day
    with pytest.raises(Invalid) as refused:
        await desk.void(grant)
    assert codes(refused) == ["grant_voided"]
    criteria = GrantCriteria(features=("chat",))
    assert await desk.read(list_grants, organisation_id=desk.organisation_id, criteria=criteria) == ([], 0)
    criteria = GrantCriteria(customer_ids=(desk.customer.id,), include_deleted=True)
    found = await desk.read(list_grants, organisation_id=desk.organisation_id, criteria=criteria)
    assert found == ([voided], 1)


async def test_resets(desk):
    made = await desk.create(usage_period=CadenceDraft("DAY"), preserve_overage_at_reset=True)
    with pytest.raises(Invalid) as refused:  # measuring began in this very minute
        await desk.reset()
    assert codes(refused) == ["before_last_reset"]
    desk.move(hours=2)
    first = await desk.reset(retain_anchor=True)
    assert (first.at, first.anchor, first.preserve_overage) == (MINUTE + timedelta(hours=2), MINUTE, True)
    desk.move(hours=2)
    for at, code in (
        (first.at + timedelta(seconds=59), "before_last_reset"),
        (first.at - timedelta(minutes=1), "before_last_reset"),
        (desk.clock.now() + timedelta(minutes=1), "in_future"),
    ):
        with pytest.raises(Invalid) as refused:
            await desk.reset(effective_at=at)
        assert codes(refused) == [code]
    at = first.at + timedelta(hours=1)
    second = await desk.reset(effective_at=at, preserve_overage=False)
    assert (second.at, second.anchor, second.preserve_overage) == (at, at, False)
    resets = (await desk.read(resets_of, entitlement_ids=[made.id]))[made.id]
    assert resets == (first, second)
    assert usage_period_at(made, resets, desk.clock.now()) == Period(at, at + timedelta(days=1))
    assert last_reset_at(made, resets, desk.clock.now() + timedelta(days=3)) == at + timedelta(days=3)


async def test_an_override_begins_where_the_old_one_ends(desk):
    first = await desk.create(issue_after_reset=Decimal(10))
    desk.move(hours=1)
    other = await desk.a_feature("other", meter_slug="tokens")
    with pytest.raises(Invalid) as refused:
        await desk.override(feature_id=str(other.id))
    assert codes(refused) == ["feature_mismatch"]
    second = await desk.override(type=STATIC, config="[1]", usage_period=None)
    old = await desk.read(get_entitlement, organisation_id=desk.organisation_id, entitlement_id=first.id)
    assert (old.active_to, old.deleted_at) == (desk.clock.now(), None)
    assert (second.active_from, second.type, second.config) == (old.active_to, STATIC, "[1]")
    with pytest.raises(PreconditionFailed):
        await desk.override(str(first.id))
    with pytest.raises(NotFound):
        await desk.override("other")


async def test_an_entitlement_of_another_customer(desk):
    made = await desk.create()
    mine, desk.customer = desk.customer, await desk.a_customer("grace")
    with pytest.raises(Invalid) as refused:
        await desk.override(str(made.id))
    assert codes(refused) == ["customer_mismatch"]
    for call in (desk.delete(str(made.id)), desk.reset(str(made.id)), desk.grant(1, str(made.id))):
        with pytest.raises(NotFound):
            await call
    desk.customer = mine
    assert (await desk.delete(str(made.id))).deleted_at == START


async def test_what_has_ended_stays_as_it_was(desk):
    made = await desk.create()
    await desk.delete()
    for call in (desk.delete, desk.reset, desk.override):
        with pytest.raises(PreconditionFailed):
            await call(str(made.id))
        with pytest.raises(NotFound):
            await call("chat")
    with pytest.raises(PreconditionFailed):
        await desk.grant(1, str(made.id))
    found, _ = await desk.read(
        list_entitlements,
        organisation_id=desk.organisation_id,
        criteria=EntitlementCriteria(include_deleted=True),
    )
    assert [each.deleted_at for each in found] == [START]
    again = await desk.create()
    assert again.id != made.id


async def test_what_a_subscription_manages_is_read_only_here(desk):
    await desk.create(subscription_id=uuid4())
    desk.move(hours=1)
    for call in (desk.delete(), desk.reset(), desk.override(), desk.grant()):
        with pytest.raises(Forbidden, match="managed by subscription"):
            await call


async def test_an_entitlement_outlives_its_features_being_live(desk):
    await desk.create()
    await desk.archive("chat")
    await desk.grant(5)
    desk.move(hours=1)
    await desk.reset()
    await desk.delete()
