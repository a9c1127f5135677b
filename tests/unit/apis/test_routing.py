from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from tests.unit.apis.contracts import ALL, METER, OPENMETER, POLAR

from meterhouse.apis.contract import Operation
from meterhouse.apis.routing import Match, Router


@pytest.mark.parametrize(
    ("method", "path", "operation"),
    [
        ("GET", "/api/strategies/audit", "list_strategy_audit"),
        ("GET", "/api/strategies/7", "get_strategy"),
        ("DELETE", "/api/strategies/audit", "delete_strategy"),
        ("GET", "/api/workflows/7/runs/latest/output", "get_workflow_output"),
        ("GET", "/api/workflows/7/runs/latest", "get_workflow_run"),
        ("POST", "/api/jobs/execute", "execute_job"),
        ("GET", "/api/jobs/execute", "get_job"),
        ("GET", "/api/jobs/batch/7", "get_batch_progress"),
        ("GET", "/api/jobs/strategies/7/history", "get_strategy_history"),
    ],
)
def test_literal_segments_win_where_their_method_exists(method: str, path: str, operation: str) -> None:
    found = METER.router.match(method, path)
    assert isinstance(found, Match)
    assert found.operation.id == operation


def test_slashes_at_the_end_count() -> None:
    assert isinstance(POLAR.router.match("GET", "/v1/meters/"), Match)
    assert POLAR.router.match("GET", "/v1/meters") == ()
    assert METER.router.match("GET", "/api/jobs/") == ()


def test_an_encoded_slash_stays_in_its_segment() -> None:
    found = POLAR.router.match("GET", "/v1/customers/external/a%2Fb%20c/state")
    assert isinstance(found, Match)
    assert found.path == {"external_id": "a/b c"}


def test_other_methods_are_told() -> None:
    assert OPENMETER.router.match("PATCH", "/api/v1/meters/tokens") == ("DELETE", "GET", "PUT")
    assert OPENMETER.router.match("GET", "/api/v1/nonsense") == ()


def test_parameters_of_one_place_may_have_several_names() -> None:
    base = "/api/v1/subjects/s/entitlements/e"
    for path, name in ((base, "entitlementId"), (base + "/value", "entitlementIdOrFeatureKey")):
        found = OPENMETER.router.match("GET", path)
        assert isinstance(found, Match)
        assert found.path == {"subjectIdOrKey": "s", name: "e"}


@pytest.mark.parametrize("contract", ALL.values(), ids=ALL)
def test_every_operation_is_found_at_its_own_path(contract: Any) -> None:
    for operation in contract.operations.values():
        path = operation.path.replace("{", "-").replace("}", "-")
        found = contract.router.match(operation.method, path)
        assert isinstance(found, Match)
        assert found.operation is operation


def test_a_dead_end_behind_a_literal_is_left_again() -> None:
    paths = ["/a/b/c", "/a/{x}/d"]
    operations = [cast(Operation, SimpleNamespace(id=path, path=path, method="GET")) for path in paths]
    found = Router.of(operations).match("GET", "/a/b/d")
    assert isinstance(found, Match)
    assert found.path == {"x": "b"}
