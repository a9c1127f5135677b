"""`meterhouse extract`: the engine on a page, with no server, no database and no stored strategy.

Exit code 0 says that every page gave items, 1 that one did not (what went wrong is on stderr), 2 that the
command itself was wrong.
"""

from __future__ import annotations

import asyncio
import csv
import io
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from meterhouse.extraction.engine import generate, run
from meterhouse.extraction.model import ExtractionFailed, Item, Page, Strategy
from meterhouse.extraction.stored import PageNotFetched
from meterhouse.kernel.errors import Invalid, MeterhouseError

OK, FAILED, USAGE = 0, 1, 2
CELL_CHARS_MAX = 60
TABLE_ROWS_MAX = 1_000
Format = Literal["json", "csv", "table"]


@dataclass(frozen=True)
class Asked:
    """One call of the command, as given."""

    arguments: Sequence[str] = ()
    url: str = ""
    strategy: Path | None = None
    save: Path | None = None
    schema: Path | None = None
    cases: Path | None = None
    out: Path | None = None
    format: Format = "json"
    fetch_allow: str = ""
    browser: str = ""


@dataclass
class _Outcome:
    items: list[Item] = field(default_factory=list)
    failed: bool = False


class UsageError(Invalid):
    """The command cannot be understood."""


def extract(asked: Asked) -> int:
    """Do what was asked, print the items, and return the exit code."""
    try:
        if asked.cases is not None:
            return _run_cases(asked)
        if asked.strategy is not None:
            return _print(_run_strategy(asked), asked.format)
        return _print(_generate(asked), asked.format)
    except UsageError as error:
        _say(error.message)
        return USAGE


def _generate(asked: Asked) -> _Outcome:
    if len(asked.arguments) != 2:
        raise UsageError('Name a page and what to extract: meterhouse extract URL "all products with price".')
    source, request = asked.arguments
    if not request.strip():
        raise UsageError("Say in plain words what to extract; the request is empty.")
    schema = _read_json(asked.schema) if asked.schema else None
    outcome = _Outcome()
    try:
        page = _page(source, asked)
        made = generate(page, request, output_schema=schema)
    except UsageError:
        raise
    except MeterhouseError as error:
        return _failed(outcome, source, error)
    for note in made.notes:
        _say(note)
    if asked.save is not None:
        _write_json(asked.save, made.strategy.to_document())
        _say(f"The strategy is in {asked.save}.")
    outcome.items.extend(made.items)
    return outcome


def _run_strategy(asked: Asked) -> _Outcome:
    assert asked.strategy is not None
    if not asked.arguments:
        raise UsageError("Name the pages to run on: meterhouse extract --strategy FILE URL …")
    try:
        strategy = Strategy.from_document(_read_json(asked.strategy))
    except Invalid as error:
        raise UsageError(f"{asked.strategy}: {error.message}") from error
    outcome = _Outcome()
    for source in asked.arguments:
        try:
            if _walks(strategy):
                outcome.items.extend(_visited(strategy, source, asked))
                continue
            result = run(strategy, _page(source, asked))
        except UsageError:
            raise
        except MeterhouseError as error:
            _failed(outcome, source, error)
            continue
        for note in result.notes:
            _say(f"{source}: {note}")
        if result.repaired is not None:
            strategy = result.repaired.strategy
        if result.repaired is not None and asked.save is not None:
            _write_json(asked.save, strategy.to_document())
            _say(f"The repaired strategy is in {asked.save}.")
        outcome.items.extend(result.items)
    return outcome


def _walks(strategy: Strategy) -> bool:
    """True when the strategy asks for more than one document: an API, a browser, or several pages."""
    return strategy.kind == "api" or strategy.render or strategy.paging is not None


def _visited(strategy: Strategy, source: str, asked: Asked) -> list[Item]:
    if not source.startswith(("http://", "https://")):
        if strategy.kind == "api" or strategy.render:
            raise UsageError(f"This strategy asks the site itself; give an address instead of {source}.")
        return run(strategy, _page(source, asked)).items
    return asyncio.run(_visit(strategy, _address(source), asked))


async def _visit(strategy: Strategy, url: str, asked: Asked) -> list[Item]:
    from meterhouse.extraction.extractor import Extractor
    from meterhouse.extraction.replay import Tally
    from meterhouse.extraction.visit import Errand, Sources, visit
    from meterhouse.platform.browser import ChromiumBrowser
    from meterhouse.platform.fetch import AddressPolicy, GuardedFetcher

    policy, extractor = AddressPolicy.parse(asked.fetch_allow), Extractor(threads=1)
    browser = ChromiumBrowser(policy, executable=asked.browser)
    try:
        async with GuardedFetcher(policy) as fetcher:
            found = await visit(Sources(fetcher, browser, extractor), strategy, Errand(url), Tally())
    finally:
        await browser.aclose()
        extractor.close()
    for note in found.notes:
        _say(f"{url}: {note}")
    return list(found.items)


def _run_cases(asked: Asked) -> int:
    """Every `case.json` with its `page.html` below a folder; items go to `<id>.json` in another."""
    assert asked.cases is not None
    if asked.out is None:
        raise UsageError("Say where the results go: meterhouse extract --cases DIR --out DIR.")
    folders = sorted(path.parent for path in asked.cases.rglob("case.json"))
    if not folders:
        raise UsageError(f"No case.json below {asked.cases}.")
    asked.out.mkdir(parents=True, exist_ok=True)
    failures = 0
    for folder in folders:
        case = _read_json(folder / "case.json")
        name = str(case.get("id") or folder.name)
        items: list[Item] = []
        try:
            page = Page(str(case.get("url") or ""), (folder / "page.html").read_text(encoding="utf-8"))
            schema = case.get("output_schema")
            made = generate(
                page,
                str(case.get("description") or ""),
                output_schema=schema if isinstance(schema, Mapping) else None,
            )
            items = made.items
        except (MeterhouseError, OSError, ValueError) as error:
            failures += 1
            _say(f"{name}: {_sentence(error)}")
        _write_json(asked.out / f"{Path(name).name}.json", items)
    print(f"{len(folders) - failures} of {len(folders)} cases gave items; results in {asked.out}.")
    return FAILED if failures else OK


def _page(source: str, asked: Asked) -> Page:
    """A saved page's path, else an address to fetch under the server's own rules."""
    if not source.startswith(("http://", "https://")):
        path = Path(source)
        if not path.is_file():
            raise UsageError(f"{source} is neither an address (http:// or https://) nor a file.")
        where = _address(asked.url) if asked.url else path.absolute().as_uri()
        return Page(where, path.read_bytes())
    return asyncio.run(_fetched(_address(source), asked.fetch_allow))


def _address(url: str) -> str:
    from meterhouse.extraction.pages import check_url  # slow to import, not always needed

    try:
        return check_url(url)
    except Invalid as error:
        raise UsageError(error.message) from error


async def _fetched(url: str, allow: str) -> Page:
    from meterhouse.extraction.pages import fetch_page
    from meterhouse.platform.fetch import AddressPolicy, GuardedFetcher

    async with GuardedFetcher(AddressPolicy.parse(allow)) as fetcher:
        return (await fetch_page(fetcher, url)).page


def _failed(outcome: _Outcome, source: str, error: MeterhouseError) -> _Outcome:
    outcome.failed = True
    _say(f"{source}: {_sentence(error)}")
    return outcome


def _sentence(error: Exception) -> str:
    if isinstance(error, ExtractionFailed):
        return f"{error.reason}: {error.message}"
    if isinstance(error, PageNotFetched):
        return f"fetch_error: {error.message}"
    return error.message if isinstance(error, MeterhouseError) else str(error)


def _read_json(path: Path) -> Mapping[str, object]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read as JSON: {error}.") from error
    if not isinstance(document, dict):
        raise UsageError(f"{path} must hold one JSON object.")
    return document


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _say(words: str) -> None:
    print(f"meterhouse: {words}", file=sys.stderr)


def _print(outcome: _Outcome, form: Format) -> int:
    if outcome.items:
        writers = {"json": _as_json, "csv": _as_csv, "table": _as_table}
        writers[form](outcome.items)
    elif form == "json" and not outcome.failed:
        _as_json([])
    return FAILED if outcome.failed else OK


def _as_json(items: Sequence[Item]) -> None:
    print(json.dumps(items, ensure_ascii=False, indent=2))


def _as_csv(items: Sequence[Item]) -> None:
    buffer = io.StringIO()
    names = _names(items)
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(names)
    for item in items:
        writer.writerow([_harmless(_cell(item.get(name))) for name in names])
    print(buffer.getvalue(), end="")


def _as_table(items: Sequence[Item]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table()
    names = _names(items)
    for name in names:
        table.add_column(name, overflow="fold")
    for item in items[:TABLE_ROWS_MAX]:
        cells = [_cell(item.get(name)) for name in names]
        table.add_row(*(Text(_shortened(cell)) for cell in cells))
    Console().print(table)
    print(f"{len(items)} items")


def _shortened(cell: str) -> str:
    return cell if len(cell) <= CELL_CHARS_MAX else f"{cell[: CELL_CHARS_MAX - 1]}…"


def _names(items: Sequence[Item]) -> list[str]:
    return list(dict.fromkeys(name for item in items for name in item))


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return "; ".join(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _harmless(cell: str) -> str:
    """A cell that spreadsheets would run as a formula is led by an apostrophe: page text is no command."""
    formula = cell.startswith(("=", "@", "\t", "\r")) or (cell.startswith(("+", "-")) and not _number(cell))
    return f"'{cell}" if formula else cell


def _number(cell: str) -> bool:
    return len(cell) < 2 or cell[1].isdigit()
