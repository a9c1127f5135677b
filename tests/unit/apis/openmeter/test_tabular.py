"""CSV that reads back as it was meant."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from fractions import Fraction

from hypothesis import example, given
from hypothesis import strategies as st

from meterhouse.apis.openmeter.tabular import answer_to_csv
from meterhouse.usage.model import MeterQuery, QueryRow

T = datetime(2026, 3, 1, tzinfo=UTC)
CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=10)


def row(value: int | Fraction = 1, **rest: object) -> QueryRow:
    return QueryRow(Fraction(value), T, T + timedelta(days=1), **rest)  # type: ignore[arg-type]


def test_only_what_was_asked_for() -> None:
    assert answer_to_csv(MeterQuery(), []) == "window_start,window_end,value\n"
    bounds = "2026-03-01T00:00:00Z,2026-03-02T00:00:00Z"
    assert answer_to_csv(MeterQuery(), [row(2000)]).splitlines()[1] == f"{bounds},2000.000000"
    asked = MeterQuery(group_by=("b", "customer_id", "subject", "a"), customers={"c": ()})
    rows = [row(Fraction(1, 3), subject="s", customer_id="c", group_by={"a": "1", "b": "2"})]
    assert answer_to_csv(asked, rows).splitlines() == [
        "window_start,window_end,subject,b,customer_id,a,value",
        f"{bounds},s,2,c,1,0.333333",
    ]
    implied = MeterQuery(subjects=("s",), customers={"c": ()})
    assert answer_to_csv(implied, []) == "window_start,window_end,subject,customer_id,value\n"


@given(CELLS, CELLS)
@example("\r", " ")
def test_any_text_reads_back(subject: str, group: str) -> None:
    question = MeterQuery(group_by=("subject", "g"))
    text = answer_to_csv(question, [row(subject=subject, group_by={"g": group})])
    assert list(csv.reader(io.StringIO(text, newline="")))[1][2:4] == [subject, group]
