"""Any course of events against a slow model that says who owns which subject (openmeter 3.2)."""

from __future__ import annotations

import random
from dataclasses import dataclass
from uuid import UUID

import pytest

from meterhouse.kernel.errors import Conflict, Invalid, NotFound

NAMES = [f"n{number}" for number in range(8)]
STEPS = 60


@dataclass
class Held:
    """What one live customer has."""

    key: str | None
    subjects: list[str]


class Model:
    """The rules, as plainly as can be."""

    def __init__(self) -> None:
        self.live: dict[UUID, Held] = {}

    def refusal(self, key: str | None, subjects: list[str], own: UUID | None = None) -> type | None:
        others = [held for customer_id, held in self.live.items() if customer_id != own]
        if key is None and not subjects:
            return Invalid
        is_new = own is None or self.live[own].key != key
        if key is not None and is_new and any(key == held.key or key in held.subjects for held in others):
            return Conflict
        return Conflict if any(set(subjects) & set(held.subjects) for held in others) else None

    def owner(self, subject: str) -> UUID | None:
        by_key = [customer_id for customer_id, held in self.live.items() if held.key == subject]
        by_subject = [customer_id for customer_id, held in self.live.items() if subject in held.subjects]
        return next(iter([*by_key, *by_subject]), None)


@pytest.mark.parametrize("seed", range(4))
async def test_any_course_of_events(books, seed):
    chance, model = random.Random(seed), Model()
    for _ in range(STEPS):
        key = chance.choice([None, *NAMES])
        subjects = chance.sample(NAMES, chance.randint(0, 2))
        known = list(model.live)
        match chance.choice(["create", "replace", "replace", "delete", "forget"]):
            case "replace" if known:
                chosen = chance.choice(known)
                refusal = model.refusal(key, subjects, chosen)
                attempt = books.replace(chosen, key=key, subject_keys=subjects)
            case "delete" if known:
                chosen = chance.choice(known)
                await books.delete(chosen)
                del model.live[chosen]
                continue
            case "forget":
                with_subjects = [name for held in model.live.values() for name in held.subjects]
                if with_subjects:
                    gone = chance.choice(with_subjects)
                    await books.delete_subject(gone)
                    for held in model.live.values():
                        held.subjects = [name for name in held.subjects if name != gone]
                continue
            case _:
                refusal = model.refusal(key, subjects)
                attempt = books.create(key=key, subject_keys=subjects)
        if refusal is not None:
            with pytest.raises(refusal):
                await attempt
        else:
            model.live[(await attempt).id] = Held(key, subjects)
        owners = await books.owners(*NAMES)
        assert {name: owner.id for name, owner in owners.items()} == {
            name: owner for name in NAMES if (owner := model.owner(name)) is not None
        }
    for name in NAMES:
        holders = [customer_id for customer_id, held in model.live.items() if held.key == name]
        if holders:
            assert (await books.get(name)).id == holders[0]
        else:
            with pytest.raises(NotFound):
                await books.get(name)
