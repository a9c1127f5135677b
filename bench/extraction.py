"""What the extraction engine does on a folder of page cases: accuracy, speed beside parsel, robustness.

    python -m bench.extraction [--pages DIR] [--quick]

The folder is `METERHOUSE_PAGES`, or `shared/pages` beside the repository; its own `score.py` gives the
scores, and nothing else reads the expected values. One core; times are processor time.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import resource
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from urllib.parse import urljoin

import parsel
from tests.unit.extraction.mutations import MUTATIONS, one_thing, right, served

from meterhouse.extraction.engine import generate, run
from meterhouse.extraction.engine.document import parse
from meterhouse.extraction.engine.generate import with_reading
from meterhouse.extraction.engine.reading import extract
from meterhouse.extraction.model import Contract, ExtractionFailed, Field, Item, Page, Strategy

ROOT = Path(__file__).parents[1]
LINKS = frozenset({"href", "src", "data-src"})
LISTS_ONLY = frozenset({"reordered", "removed", "inserted"})
BARS = {"list": ("0.85", "0.80"), "detail": ("0.85", "0.75")}


@dataclass(frozen=True)
class Case:
    """One page, and what was made of it."""

    case: Mapping[str, object]
    page: Page
    strategy: Strategy | None
    items: list[Item]
    generate_s: float


@dataclass
class Table:
    """Rows of: what was measured, the value, the bar."""

    rows: list[tuple[str, str, str]] = field(default_factory=list)

    def add(self, what: str, value: str, bar: str = "") -> None:
        self.rows.append((what, value, bar))

    def print(self) -> None:
        wide = [max(len(row[at]) for row in self.rows) for at in range(3)]
        for what, value, bar in self.rows:
            print(f"{what:{wide[0]}}  {value:>{wide[1]}}  {bar}")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.extraction", description=__doc__)
    parser.add_argument("--pages", type=Path, default=None, help="folder of cases")
    parser.add_argument("--quick", action="store_true", help="every fourth page, one turn each")
    given = parser.parse_args(arguments)
    folder = given.pages or Path(os.environ.get("METERHOUSE_PAGES") or ROOT.parent / "shared" / "pages")
    folders = sorted(path.parent for path in folder.glob("*/case.json"))
    if not folders:
        print(f"extraction: no page cases in {folder}; set METERHOUSE_PAGES or --pages")
        return
    measure(folder, folders[::4] if given.quick else folders, turns=1 if given.quick else 3).print()


def measure(folder: Path, folders: Sequence[Path], *, turns: int) -> Table:
    table = Table([("measured", "here", "bar")])
    cases = [_made(one) for one in folders]
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    _scores(table, folder, cases)
    times = [one.generate_s for one in cases]
    table.add("generate, median page", f"{statistics.median(times):.2f} s", "< 1 s")
    table.add("generate, worst page", f"{max(times):.2f} s", "< 5 s")
    table.add("generate, peak memory of the process", f"{peak_mb:.0f} MB", "< 600 MB")
    _speed(table, cases, turns)
    _robustness(table, cases)
    return table


def _made(folder: Path) -> Case:
    case = json.loads((folder / "case.json").read_text(encoding="utf-8"))
    page = Page(case["url"], (folder / "page.html").read_text(encoding="utf-8"))
    strategy: Strategy | None = None
    items: list[Item] = []
    started = time.process_time()
    try:
        made = generate(page, case["description"], output_schema=case.get("output_schema"))
        strategy, items = made.strategy, made.items
    except ExtractionFailed:
        pass  # the scorer counts an empty result
    return Case(case, page, strategy, items, time.process_time() - started)


def _scores(table: Table, folder: Path, cases: Sequence[Case]) -> None:
    path = folder / "score.py"
    if not path.is_file():
        return
    scorer = _module(path)
    rows = [scorer.score_case(one.case, one.items) for one in cases]
    for kind, scores in scorer.summary(rows).items():
        field_bar, tidy_bar = BARS.get(kind, ("", ""))
        name = f"{kind} pages ({scores['cases']})"
        table.add(f"{name}, field F1", f"{scores['field_f1']:.3f}", field_bar)
        table.add(f"{name}, tidy F1", f"{scores['tidy_f1']:.3f}", tidy_bar)
        table.add(f"{name}, record F1", f"{scores['record_f1']:.3f}")


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("page_scores", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _speed(table: Table, cases: Sequence[Case], turns: int) -> None:
    made = [(one.strategy, one.page) for one in cases if one.strategy is not None]
    runs = [_best(lambda one=one: run(*one), turns) for one in made]
    table.add("run, median page", f"{1 / statistics.median(runs):.0f} pages/s", ">= 300 pages/s")
    table.add("run, all pages", f"{len(runs) / sum(runs):.0f} pages/s")
    plain = [(part, page) for whole, page in made if (part := _selectors_only(whole, page)) is not None]
    same = sum(_with_parsel(*one) == run(*one).items for one in plain)
    ours = [_best(lambda one=one: run(*one), turns) for one in plain]
    theirs = [_best(lambda one=one: _with_parsel(*one), turns) for one in plain]
    name = f"same selectors ({len(plain)} pages, {same} with equal items)"
    table.add(f"{name}: ours, median page", f"{1 / statistics.median(ours):.0f} pages/s")
    table.add(f"{name}: parsel, median page", f"{1 / statistics.median(theirs):.0f} pages/s")
    ratios = [b / a for a, b in zip(ours, theirs, strict=True)]
    table.add("times parsel, median page", f"{statistics.median(ratios):.2f}", ">= 2")
    table.add("times parsel, all pages together", f"{sum(theirs) / sum(ours):.2f}", ">= 2")


def _best(work: Callable[[], object], turns: int) -> float:
    times: list[float] = []
    for _ in range(turns + 1):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return max(min(times), 1e-6)


def _selectors_only(whole: Strategy, page: Page) -> Strategy | None:
    """The part of a strategy that parsel can do as it is: whole texts and attributes found by CSS."""
    if whole.container.mode == "run" or whole.container.header or whole.container.source != "css":
        return None
    fields = {
        name: replace(way, alternates=(), many=False)
        for name, way in whole.fields.items()
        if way.source == "css" and way.piece is None and way.regex is None
    }
    if not fields:
        return None
    require = tuple(name for name in whole.container.require if name in fields)
    container = replace(whole.container, require=require, alternates=())
    found = extract(container, fields, parse(page))
    plain = Strategy(container=container, fields=fields, contract=Contract())
    return with_reading(plain, page, found) if found else None


def _with_parsel(strategy: Strategy, page: Page) -> list[Item]:
    text = page.html if isinstance(page.html, str) else page.html.decode("utf-8", "replace")
    root = parsel.Selector(text=text)
    base = root.css("base::attr(href)").get()
    address = urljoin(page.url, base) if base else page.url
    container = strategy.container
    records = [root] if container.mode == "page" else root.css(container.selector)
    needed = container.require or tuple(strategy.fields)
    items: list[Item] = []
    for record in records:
        item = {name: _parsel_value(record, one, address) for name, one in strategy.fields.items()}
        if any(item[name] for name in needed):
            items.append({name: value for name, value in item.items() if value is not None})
    return items


def _parsel_value(record: parsel.Selector, one: Field, base: str) -> str | None:
    found = record.css(one.selector)[:1] if one.selector not in {"", ":scope"} else [record]
    if not found:
        return None
    if one.attr is not None:
        value = (found[0].attrib.get(one.attr) or "").strip()
        return (urljoin(base, value) if one.attr in LINKS else " ".join(value.split())) if value else None
    return " ".join(found[0].xpath("string()").get("").split()) or None


def _robustness(table: Table, cases: Sequence[Case]) -> None:
    wanted = kept = told = 0
    for one in cases:
        if one.strategy is None:
            continue
        for mutation in MUTATIONS:
            if one_thing(one.strategy) and mutation in LISTS_ONLY:
                continue
            changed = served(one.page, one.strategy, one.items, mutation)
            wanted += len(changed.expected)
            try:
                found = run(one.strategy, changed.page, known=one.items)
            except ExtractionFailed:
                told += len(changed.expected)
                continue
            count = right(changed, found.items)
            kept += count
            told += (len(changed.expected) - count) * bool(found.repaired or found.lost)
    table.add("records still right on changed pages", f"{kept / max(1, wanted):.4f}", ">= 0.95")
    table.add("records not right, and said so", f"{told} of {wanted - kept}", "all")


if __name__ == "__main__":
    main()
