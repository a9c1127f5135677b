"""Pages at the edge of what is read: they end, in time and within memory."""

from __future__ import annotations

import time
import tracemalloc

from meterhouse.extraction.engine import document, generate
from meterhouse.extraction.model import ExtractionFailed, Page

URL = "https://bad.example/"
SECONDS_MAX = 30.0
RECORDS = 5_000


def wide(size: int) -> str:
    row = "<p>A sentence that says little, and says it at some length, once more.</p>"
    return f"<html><body>{row * (size // len(row))}</body></html>"


def test_a_page_of_twenty_megabytes_ends() -> None:
    page = Page(URL, wide(document.PAGE_BYTES_MAX - 1_000))
    started = time.process_time()
    try:
        generate(page, "All sentences: text")
    except ExtractionFailed as failure:
        assert failure.reason in {"too_large", "nothing_found"}
    assert time.process_time() - started < SECONDS_MAX


def test_memory_stays_bounded_on_a_page_of_many_records() -> None:
    html = "<ul>" + "".join(
        f'<li class="r"><a href="/{n}">Entry number {n}</a> <b>€ {n},00</b></li>' for n in range(RECORDS)
    )
    tracemalloc.start()
    try:
        made = generate(Page(URL, html + "</ul>"), "All entries: name, link and price")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(made.items) == RECORDS
    assert peak < 20_000 * RECORDS
