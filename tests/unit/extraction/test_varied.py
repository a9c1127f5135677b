"""The varied pages: each is answered in full, and its strategy reads it again from its document."""

from __future__ import annotations

import pytest

from meterhouse.extraction.engine import generate, run
from meterhouse.extraction.model import Page, Strategy
from tests.unit.extraction.varied import DETAILS, LISTS, SITE, Varied


@pytest.mark.parametrize("case", [pytest.param(one, id=name) for name, one in {**LISTS, **DETAILS}.items()])
def test_answered_in_full(case: Varied) -> None:
    page = Page(f"{SITE}/", case.page)
    made = generate(page, case.request, output_schema=case.schema)
    assert made.items == case.items
    again = run(Strategy.from_document(made.strategy.to_document()), page)
    assert (again.items, again.repaired, again.lost) == (case.items, None, ())
