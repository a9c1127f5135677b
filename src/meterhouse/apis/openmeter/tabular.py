"""A meter's answer as CSV (openmeter 2.2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from meterhouse.kernel.clock import format_instant
from meterhouse.kernel.ids import to_ulid
from meterhouse.usage.model import MeterQuery, QueryRow

_QUOTED = frozenset('",\r\n')


def answer_to_csv(
    question: MeterQuery, rows: Sequence[QueryRow], display_names: Mapping[str, str] | None = None
) -> str:
    """Write an answer as lines of text: bounds, what it is grouped by in the order asked for, value.

    `display_names` are those of the subjects that are known; their column is there when any is.
    """
    with_subject = question.subjects is not None or "subject" in question.group_by
    groups = [key for key in question.group_by if key != "subject"]
    if question.customers is not None and "customer_id" not in groups:
        groups.append("customer_id")
    names = (display_names or {}) if with_subject else {}
    about = [*(["subject"] if with_subject else []), *(["subject_display_name"] if names else [])]
    header = ["window_start", "window_end", *about, *groups, "value"]
    lines = [_line(header)]
    for row in rows:
        cells = [format_instant(row.window_start), format_instant(row.window_end)]
        if with_subject:
            cells.append(row.subject or "")
        if names:
            cells.append(names.get(row.subject or "", ""))
        cells += [_group(row, key) for key in groups]
        lines.append(_line([*cells, f"{row.value:.6f}"]))
    return "".join(lines)


def _group(row: QueryRow, key: str) -> str:
    # A meter may have a group-by of its own that is called customer_id.
    if key in row.group_by:
        return row.group_by[key] or ""
    return "" if row.customer_id is None else to_ulid(UUID(row.customer_id))


def _line(cells: Iterable[str]) -> str:
    return ",".join(_cell(cell) for cell in cells) + "\n"


def _cell(text: str) -> str:
    """Quote what would not survive otherwise: the `csv` module leaves a lone carriage return bare."""
    if _QUOTED.isdisjoint(text) and not text.startswith(" "):
        return text
    return '"' + text.replace('"', '""') + '"'
