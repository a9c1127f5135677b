"""The engine at work: in threads of its own, a bounded number at a time, each within a time limit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from meterhouse.extraction import engine
from meterhouse.extraction.capture import run as capture
from meterhouse.extraction.filters import Filter
from meterhouse.extraction.model import Generated, Item, Page, PageKind, RunResult, Strategy
from meterhouse.extraction.schema import OutputSchema
from meterhouse.extraction.storable import storable_items
from meterhouse.extraction.stored import Extracted
from meterhouse.kernel.errors import LimitExceeded

GENERATE_TIMEOUT_S = 60.0
RUN_TIMEOUT_S = 30.0
THREADS = 4

T = TypeVar("T")


class Extractor:
    """Runs the engine without holding up the event loop. Threads start when first needed.

    A run that passes its time limit is given up; its thread stays taken until the engine's own bounds
    end it, which is why the threads are not shared with anything else.
    """

    def __init__(self, *, threads: int = THREADS) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="extraction")

    async def generate(
        self, page: Page, request: str, *, output_schema: Mapping[str, object] | None, kind: PageKind | None
    ) -> Generated:
        """Make a strategy from a page. Raises `ExtractionFailed`, or `LimitExceeded` past the time limit."""

        def work() -> Generated:
            return engine.generate(page, request, output_schema=output_schema, kind=kind)

        return await self.think(work, page.url)

    async def run(
        self, strategy: Strategy, page: Page, *, keep: Filter | None, known: Sequence[Item] = ()
    ) -> Extracted:
        """Extract, coerce, filter. `known` are stored items of the last good run, which judge repairs.

        Raises `ExtractionFailed`, or `LimitExceeded` past the time limit.
        """

        def work() -> Extracted:
            if strategy.kind == "api":
                return finish(capture.run(strategy, page), strategy.output_schema, keep)
            before = _wrapped(known, strategy.output_schema)
            return finish(engine.run(strategy, page, known=before), strategy.output_schema, keep)

        return await self.think(work, page.url, timeout_s=RUN_TIMEOUT_S)

    async def think(self, work: Callable[[], T], url: str, *, timeout_s: float = GENERATE_TIMEOUT_S) -> T:
        """Do pure work on what was found at an address. Raises `LimitExceeded` past the time limit."""
        loop = asyncio.get_running_loop()
        try:
            return await asyncio.wait_for(loop.run_in_executor(self._threads, work), timeout_s)
        except TimeoutError as error:
            raise LimitExceeded(
                f"The page {url} could not be analysed within {timeout_s:g} seconds. "
                "Choose a page with less on it.",
                details={"url": url, "timeout_s": timeout_s},
            ) from error

    def close(self) -> None:
        """Take no more work; threads in the middle of a page are not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def finish(
    result: RunResult | Generated, output_schema: Mapping[str, object] | None, keep: Filter | None
) -> Extracted:
    """What is kept of a result: the items within a wrapper, after the filter, fit to be stored."""
    wrapper = OutputSchema.parse(output_schema).wrapper if output_schema is not None else None
    items = result.items if wrapper is None else _inner(result.items, wrapper)
    kept = items if keep is None else keep.apply(items)
    lost, repaired = (result.lost, result.repaired) if isinstance(result, RunResult) else ((), None)
    return Extracted(storable_items(kept), wrapper, result.notes, lost, repaired)


def _wrapped(items: Sequence[Item], output_schema: Mapping[str, object] | None) -> list[Item] | None:
    """Stored items as the engine gives them: within the wrapper that `finish` takes off."""
    if not items:
        return None
    wrapper = OutputSchema.parse(output_schema).wrapper if output_schema is not None else None
    return [dict(item) for item in items] if wrapper is None else [{wrapper: list(items)}]


def _inner(items: list[Item], wrapper: str) -> list[Item]:
    return [one for item in items for one in _dicts(item.get(wrapper))]


def _dicts(value: object) -> list[Item]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
