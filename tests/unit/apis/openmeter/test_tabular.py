"""CSV that reads back as it was meant."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from uuid import UUID

from hypothesis import example, given
from hypothesis import strategies as st

from meterhouse.apis.openmeter.tabular import answer_to_csv
from meterhouse.kernel.ids import to_ulid
from meterhouse.usage.model import MeterQuery, QueryRow

T = datetime(2026, 3, 1, tzinfo=UTC)
CUSTOMER = UUID("0190163d-8694-7de3-8f3a-2c9e3f1f6a01")
CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=10)


def row(value: int | Fraction = 1, **rest: object) -> QueryRow:
    return QueryRow(Fraction(value), T, T + timedelta(days=1), **rest)  # type: ignore[arg-type]


def test_only_what_was_asked_for() -> None:
    assert answer_to_csv(MeterQuery(), []) == "window_start,window_end,value\n"
    bounds = "2026-03-01T00:00:00Z,2026-03-02T00:00:00Z"
    assert answer_to_csv(MeterQuery(), [row(2000)]).splitlines()[1] == f"{bounds},2000.000000"
    asked = MeterQuery(group_by=("b", "customer_id", "subject", "a"), customers={"c": ()})
    rows = [row(Fraction(1, 3), subject="s", customer_id=str(CUSTOMER), group_by={"a": "1", "b": "2"})]
    assert answer_to_csv(asked, rows).splitlines() == [
        "window_start,window_end,subject,b,customer_id,a,value",
        f"{bounds},s,2,{to_ulid(CUSTOMER)},1,0.333333",
    ]
    implied = MeterQuery(subjects=("s",), customers={"c": ()})
    assert answer_to_csv(implied, []) == "window_start,window_end,subject,customer_id,value\n"


def test_display_names_stand_beside_subjects() -> None:
    by_subject = MeterQuery(group_by=("subject", "g"))
    rows = [row(subject=subject, group_by={"g": "1"}) for subject in ("s", "t", "")]
    text = answer_to_csv(by_subject, rows, {"s": "Sales, Inc", "u": "unseen"})
    assert [cells[2:] for cells in csv.reader(io.StringIO(text))] == [
        ["subject", "subject_display_name", "g", "value"],
        ["s", "Sales, Inc", "1", "1.000000"],
        ["t", "", "1", "1.000000"],
        ["", "", "1", "1.000000"],
    ]
    assert answer_to_csv(by_subject, [], {}) == "window_start,window_end,subject,g,value\n"
    assert answer_to_csv(MeterQuery(), [], {"s": "S"}) == "window_start,window_end,value\n"


@given(CELLS, CELLS)
@example("\r", " ")
def test_any_text_reads_back(subject: str, group: str) -> None:
    question = MeterQuery(group_by=("subject", "g"))
    text = answer_to_csv(question, [row(subject=subject, group_by={"g": group})])
    assert list(csv.reader(io.StringIO(text, newline="")))[1][2:4] == [subject, group]
