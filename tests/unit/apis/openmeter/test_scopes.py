"""Which scope opens which operation of metering."""

from __future__ import annotations

import re

import pytest
from tests.fakes.http import InMemoryAuthenticator, absent_services, client_of, server_of

from meterhouse.apis.openmeter import facade

SCOPES = {
    "ingestEvents": "events:write",
    "listEvents": "events:read",
    "listEventsV2": "events:read",
    "createMeter": "meters:write",
    "updateMeter": "meters:write",
    "deleteMeter": "meters:write",
    "getMeter": "meters:read",
    "listMeters": "meters:read",
    "queryMeter": "meters:read",
    "queryMeterPost": "meters:read",
    "listMeterSubjects": "meters:read",
    "listMeterGroupByValues": "meters:read",
    "createCustomer": "customers:write",
    "updateCustomer": "customers:write",
    "deleteCustomer": "customers:write",
    "getCustomer": "customers:read",
    "listCustomers": "customers:read",
    "listCustomerSubscriptions": "customers:read",
    "upsertSubject": "customers:write",
    "deleteSubject": "customers:write",
    "getSubject": "customers:read",
    "listSubjects": "customers:read",
    "createPortalToken": "portal:write",
    "invalidatePortalTokens": "portal:write",
    "listPortalTokens": "portal:read",
    "getDebugMetrics": "events:read",
    "getProgress": "meters:read",
}


@pytest.fixture(scope="module", autouse=True)
def _loaded() -> None:
    if not facade.served:
        facade.load()


@pytest.mark.parametrize(("operation_id", "scope"), SCOPES.items())
async def test_a_key_needs_the_scope(operation_id: str, scope: str) -> None:
    operation = facade.contract.operations[operation_id]
    path = re.sub(r"\{[^}]*\}", "name", operation.path)
    authenticator = InMemoryAuthenticator()
    others = {*SCOPES.values(), "jobs:read"} - {scope}
    server = server_of(facade, services=absent_services(authenticator))
    async with client_of(server, key=authenticator.add("sk_live_others", others)) as http:
        refused = await http.request(operation.method, path)
        assert refused.status_code == 403
        assert refused.json()["detail"].startswith("forbidden error: ")
        assert scope in refused.json()["detail"]
    async with client_of(server, key=authenticator.add("sk_live_fitting", [scope])) as http:
        assert (await http.request(operation.method, path)).status_code not in (401, 403, 500)
