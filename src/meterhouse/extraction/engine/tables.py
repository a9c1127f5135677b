"""Column headers of tables, spans counted, and rows that are headers themselves."""

from __future__ import annotations

from collections.abc import Sequence

from lxml.html import HtmlElement

from meterhouse.extraction.engine.document import text_of

SHORT_HEADER_CHARS = 6
_NUMBER_SIGNS = frozenset({"#", "№", "Nº", "N°"})


def headers_of(member: HtmlElement) -> list[str]:
    """The column headers of the table that a row stands in: from `thead`, a row of `th`, or none."""
    row = member if member.tag == "tr" else next(member.iterancestors("tr"), None)
    table = next(row.iterancestors("table"), None) if row is not None else None
    if table is None:
        return []
    for candidate in list(table.iter("tr"))[:6]:
        cells = [cell for cell in candidate if cell.tag in {"th", "td"}]
        headed = candidate.getparent() is not None and candidate.getparent().tag == "thead"
        if len(cells) > 1 and (headed or all(cell.tag == "th" for cell in cells)):
            return _spread(cells)
    first = next(table.iter("tr"), None)
    if first is not None and first is not row and all(len(text_of(cell)) < 30 for cell in first):
        return _spread([cell for cell in first if cell.tag in {"td", "th"}])
    return []


def _spread(cells: Sequence[HtmlElement]) -> list[str]:
    spread: list[str] = []
    for cell in cells:
        spread.extend([_header(cell)[:80]] * _span(cell))
    return spread


def _header(cell: HtmlElement) -> str:
    """The words of a header; a short one with what it stands for, where the markup says it."""
    text = text_of(cell)
    if len(text) > SHORT_HEADER_CHARS:
        return text
    if text in _NUMBER_SIGNS:
        return f"{text} number"
    titles = (one.get("title") or one.get("aria-label") for one in (cell, *cell.iterdescendants()))
    return next((f"{text} {title}".strip() for title in titles if title), text)


def header_of(cell: HtmlElement, headers: Sequence[str]) -> str:
    """The header over a cell, spans counted."""
    row = cell.getparent()
    cells = [one for one in row if one.tag in {"td", "th"}] if row is not None else []
    if cell not in cells or sum(map(_span, cells)) < len(headers):
        return ""  # a row that goes on below the cells of the one before
    column = sum(map(_span, cells[: cells.index(cell)]))
    over = headers[column : column + _span(cell)]
    return over[0] if over and all(one == over[0] for one in over) else ""


def _span(cell: HtmlElement) -> int:
    span = cell.get("colspan") or "1"
    return min(int(span), 50) if span.isdigit() and span != "0" else 1


def header_row(element: HtmlElement) -> bool:
    return element.tag == "tr" and len(element) > 0 and all(child.tag == "th" for child in element)


class HeaderFilter:
    """Lets rows pass whose table has the wanted column headers; answers are kept per table."""

    def __init__(self, wanted: Sequence[str]) -> None:
        self._wanted = tuple(wanted)
        self._known: dict[HtmlElement, bool] = {}

    def passes(self, row: HtmlElement) -> bool:
        if not self._wanted:
            return True
        table = next(row.iterancestors("table"), None)
        if table is None:
            return False
        if table not in self._known:
            self._known[table] = tuple(headers_of(row)) == self._wanted
        return self._known[table]
