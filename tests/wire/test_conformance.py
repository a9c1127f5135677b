"""No operation is claimed that a recorded call did not exercise, and the page says exactly that."""

from __future__ import annotations

from tests.wire.conformance import PAGE, render, rows_of, unproven
from tests.wire.conftest import writes_docs
from tests.wire.recorder import Recording

from meterhouse.apis.facade import Facade


def test_every_served_operation_was_exercised(
    facades: tuple[Facade, ...], complete_recording: Recording
) -> None:
    missing = {facade.name: unproven(rows_of(facade, complete_recording.exercises)) for facade in facades}
    assert not any(missing.values()), f"served, but exercised by nothing: {missing}"


def test_the_conformance_page_is_current(facades: tuple[Facade, ...], complete_recording: Recording) -> None:
    page = render(facades, complete_recording.exercises)
    if writes_docs():
        PAGE.write_text(page)
    assert PAGE.read_text() == page, (
        "docs/conformance.md is stale: run the wire tier with METERHOUSE_WRITE_DOCS=1 and commit it"
    )
