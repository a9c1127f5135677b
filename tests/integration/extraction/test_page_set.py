"""The whole set of real pages, where it is at hand: strategies last, and both readings agree.

`METERHOUSE_PAGES` names the folder of cases; without it, `shared/pages` beside the repository is tried.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path

import pytest
from tests.unit.extraction.mutations import MUTATIONS, one_thing, right, served

from meterhouse.extraction.engine import generate, run
from meterhouse.extraction.model import ExtractionFailed, Page, Strategy

FOLDER = Path(os.environ.get("METERHOUSE_PAGES") or Path(__file__).parents[3].parent / "shared" / "pages")
# Every eighth page, to keep the suite quick; `python -m bench.extraction` goes over all of them.
CASES = sorted(path.parent for path in FOLDER.glob("*/case.json"))[::8] if FOLDER.is_dir() else []
LISTS_ONLY = {"reordered", "removed", "inserted"}
RIGHT_MIN = 0.95

pytestmark = pytest.mark.skipif(not CASES, reason=f"no page set in {FOLDER}; set METERHOUSE_PAGES")


def test_records_survive_the_page_being_served_otherwise() -> None:
    wanted: Counter[str] = Counter()
    kept: Counter[str] = Counter()
    silent: list[str] = []
    for folder in CASES:
        case = json.loads((folder / "case.json").read_text(encoding="utf-8"))
        page = Page(case["url"], (folder / "page.html").read_text(encoding="utf-8"))
        made = generate(page, case["description"], output_schema=case.get("output_schema"))
        stored = Strategy.from_document(json.loads(json.dumps(made.strategy.to_document())))
        assert run(stored, page).items == made.items, case["id"]
        for mutation in MUTATIONS:
            if one_thing(stored) and mutation in LISTS_ONLY:
                continue
            changed = served(page, stored, made.items, mutation)
            wanted[mutation] += len(changed.expected)
            try:
                found = run(stored, changed.page, known=made.items)
            except ExtractionFailed:
                continue
            count = right(changed, found.items)
            kept[mutation] += count
            if count < len(changed.expected) and not (found.repaired or found.lost):
                silent.append(f"{case['id']} {mutation}: {count} of {len(changed.expected)}")
    for mutation in MUTATIONS:
        assert kept[mutation] >= RIGHT_MIN * wanted[mutation], mutation
    assert len(silent) <= 0.01 * len(CASES) * len(MUTATIONS), silent
