"""Run `generate` on a folder of page cases and write one `<id>.json` per case for scoring.

    python bench/extraction_cases.py CASES OUT [--only ID[,ID…]]

A case is a folder with `case.json` (id, url, description, output_schema) and `page.html`. Expected values are
never read. Prints the time of each case and the median.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path

from meterhouse.extraction.engine import generate, run
from meterhouse.extraction.model import ExtractionFailed, Page


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--strategies", action="store_true", help="also write <id>.strategy.json")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    only = set(filter(None, arguments.only.split(",")))
    times: list[float] = []
    runs: list[float] = []
    for folder in sorted(path.parent for path in arguments.cases.glob("*/case.json")):
        case = json.loads((folder / "case.json").read_text(encoding="utf-8"))
        if only and case["id"] not in only:
            continue
        page = Page(case["url"], (folder / "page.html").read_text(encoding="utf-8"))
        start = time.perf_counter()
        items: list[dict[str, object]] = []
        note = ""
        try:
            made = generate(page, case["description"], output_schema=case.get("output_schema"))
            items = made.items
            times.append(time.perf_counter() - start)
            start = time.perf_counter()
            again = run(made.strategy, page).items
            runs.append(time.perf_counter() - start)
            note = "" if again == items else "  run differs from generate"
            if arguments.strategies:
                document = json.dumps(made.strategy.to_document(), ensure_ascii=False, indent=1)
                (arguments.out / f"{case['id']}.strategy.txt").write_text(document, encoding="utf-8")
        except ExtractionFailed as failure:
            times.append(time.perf_counter() - start)
            note = f"  {failure.reason}: {failure}"
        (arguments.out / f"{case['id']}.json").write_text(
            json.dumps(items, ensure_ascii=False, indent=1), encoding="utf-8"
        )
        print(f"{case['id']:45} {len(items):5} items {times[-1] * 1000:8.0f} ms{note}")
    print(f"generate: median {statistics.median(times):.3f} s, worst {max(times):.3f} s")
    if runs:
        print(f"run: median {statistics.median(runs) * 1000:.1f} ms, worst {max(runs) * 1000:.1f} ms")


if __name__ == "__main__":
    main()
