from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.apis.contracts import ALL, METER, OPENMETER, POLAR

from meterhouse.apis.contract import Contract
from meterhouse.apis.faults import RequestInvalid, field_name
from meterhouse.apis.parameters import read_query


def read(contract: Contract, operation: str, query: str) -> dict[str, Any]:
    return contract.operations[operation].read_query(parse_qsl(query, keep_blank_values=True))


@pytest.mark.parametrize(
    ("operation", "query", "values"),
    [
        ("listMeters", "page=2&pageSize=10", {"page": 2, "pageSize": 10}),
        ("queryMeter", "subject=a&subject=b", {"subject": ["a", "b"]}),
        ("queryMeter", "subject=a", {"subject": ["a"]}),
        (
            "queryMeter",
            "filterGroupBy[model]=x&filterGroupBy[kind]=y",
            {"filterGroupBy": {"model": "x", "kind": "y"}},
        ),
        ("queryMeter", "filterGroupBy={'model': 'x'}", {"filterGroupBy": {"model": "x"}}),
        ("queryMeter", 'filterGroupBy={"model": "x"}', {"filterGroupBy": {"model": "x"}}),
        (
            "queryMeter",
            'advancedMeterGroupByFilters={"m":{"$eq":"x"}}',
            {"advancedMeterGroupByFilters": {"m": {"$eq": "x"}}},
        ),
        ("queryMeter", "from=2026-01-01T00:00:00Z", {"from": datetime(2026, 1, 1, tzinfo=UTC)}),
        ("queryMeter", "from=2026-01-01T01:00:00+01:00", {"from": datetime(2026, 1, 1, tzinfo=UTC)}),
        ("listPlans", "keyVersion[pro]=1&keyVersion[pro]=2", {"keyVersion": {"pro": [1, 2]}}),
        ("listCustomers", "includeDeleted=true", {"includeDeleted": True}),
        ("listCustomers", "includeDeleted=0&nonsense=1", {"includeDeleted": False}),
        ("listMeters", "", {}),
    ],
)
def test_query_values_are_read_as_declared(operation: str, query: str, values: dict[str, Any]) -> None:
    assert read(OPENMETER, operation, query) == values


@pytest.mark.parametrize(
    ("contract", "operation", "query", "field", "message"),
    [
        (METER, "list_jobs", "limit=ten", "limit", "must be an integer"),
        (METER, "list_jobs", "limit=", "limit", "must be an integer"),
        (METER, "list_jobs", "limit=-1", "limit", "must be at least"),
        (METER, "list_jobs", "offset=99999999999999999999999", "offset", "is out of range"),
        (OPENMETER, "listMeters", "page=0", "page", "must be at least 1"),
        (OPENMETER, "queryMeter", "windowSize=WEEKLY", "windowSize", "must be one of"),
        (OPENMETER, "queryMeter", "from=yesterday", "from", "must be a valid date-time"),
        (OPENMETER, "queryMeter", "from=2026-01-01T00:00:00", "from", "must be a valid date-time"),
        (OPENMETER, "queryMeter", "filterGroupBy=__import__('os')", "filterGroupBy", "must be a JSON object"),
        (
            OPENMETER,
            "queryMeter",
            "advancedMeterGroupByFilters=[",
            "advancedMeterGroupByFilters",
            "must be a JSON",
        ),
        (OPENMETER, "listCustomers", "includeDeleted=perhaps", "includeDeleted", "must be true or false"),
        (OPENMETER, "queryMeter", "subject=%00", "subject", "cannot be stored"),
    ],
)
def test_faults_name_the_parameter(
    contract: Contract, operation: str, query: str, field: str, message: str
) -> None:
    with pytest.raises(RequestInvalid) as caught:
        read(contract, operation, query)
    [issue] = caught.value.issues
    assert issue.path[0] == "query"
    assert field_name(issue) == field
    assert message in issue.message


def test_all_faults_of_a_query_are_told_together() -> None:
    with pytest.raises(RequestInvalid) as caught:
        read(METER, "list_jobs", "limit=x&offset=y")
    assert [field_name(issue) for issue in caught.value.issues] == ["limit", "offset"]


def test_raw_values_keep_their_text() -> None:
    pairs = parse_qsl("page=1&sorting=-name&metadata[a.b]=1&metadata[a.b]=2&is_archived=no")
    assert POLAR.operations["meters:list"].raw_query(pairs) == {
        "page": "1",
        "sorting": ["-name"],
        "metadata": {"a.b": ["1", "2"]},
        "is_archived": "no",
    }


@given(st.lists(st.tuples(st.text(max_size=20), st.text(max_size=40)), max_size=6), st.data())
def test_no_query_string_breaks_the_reader(noise: list[tuple[str, str]], data: st.DataObject) -> None:
    contract = ALL[data.draw(st.sampled_from(sorted(ALL)))]
    operation = contract.operations[data.draw(st.sampled_from(sorted(contract.operations)))]
    names = [parameter.name for parameter in operation.query_parameters]
    if names:
        noise = [*noise, (data.draw(st.sampled_from(names)), data.draw(st.text(max_size=40)))]
    read_query(operation.query_parameters, noise)
