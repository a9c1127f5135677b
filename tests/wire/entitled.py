"""A customer with a feature on a meter, and the published `openmeter` client's ways to entitle it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import pytest
from corehttp.exceptions import HttpResponseError
from tests.openmeter_client import fresh

CLIENT = f"openmeter {version('openmeter')}"
MONTHLY = {"interval": "MONTH"}


@dataclass
class Shop:
    """The client with a customer, a meter, and a feature on it."""

    client: Any
    customer: Any
    feature: Any

    @property
    def key(self) -> str:
        return str(self.customer.key)

    def metered(self, **rest: object) -> dict[str, object]:
        return {"type": "metered", "featureKey": self.feature.key, "usagePeriod": MONTHLY} | rest

    def create(self, **rest: object) -> Any:
        return self.post(self.metered(**rest))

    def post(self, body: dict[str, object]) -> Any:
        return self.client.customer_entitlements_v2.post(self.key, body)

    def get(self, named: str) -> Any:
        return self.client.customer_entitlements_v2.get(self.key, named)

    def grant(self, amount: float, named: str | None = None, **rest: object) -> Any:
        body = {"amount": amount, "effectiveAt": now().isoformat()} | rest
        named = named or self.feature.key
        return self.client.customer_entitlement_v2.create_customer_entitlement_grant(self.key, named, body)

    def grants(self, named: str | None = None, **params: Any) -> Any:
        named = named or self.feature.key
        return self.client.customer_entitlement_v2.get_grants(self.key, named, **params)

    def value(self, named: str | None = None, **params: Any) -> Any:
        named = named or self.feature.key
        return self.client.customer_entitlement_v2.get_customer_entitlement_value(self.key, named, **params)

    def reset(self, named: str | None = None, **body: object) -> None:
        named = named or self.feature.key
        self.client.customer_entitlement_v2.reset_customer_entitlement(self.key, named, body)

    def a_feature(self, **rest: object) -> Any:
        key = fresh("f")
        return self.client.features.create({"key": key, "name": key} | rest)


def now() -> datetime:
    return datetime.now(UTC)


def opened_shop(client: Any, aggregation: str = "SUM") -> Shop:
    name = fresh()
    meter = {"slug": name, "eventType": name, "aggregation": aggregation, "valueProperty": "$.value"}
    client.meters.create(meter)
    feature = client.features.create({"key": fresh("f"), "name": "Tokens", "meterSlug": name})
    key = fresh("c")
    subjects = {"subjectKeys": [f"{key}_b", f"{key}_a"]}
    customer = client.customers.create({"key": key, "name": "Ada", "usageAttribution": subjects})
    return Shop(client, customer, feature)


def refusal(refused: pytest.ExceptionInfo[HttpResponseError], status: int, code: str) -> dict[str, Any]:
    """The extensions of a refusal, after a look at its status and codes."""
    assert refused.value.status_code == status, refused.value
    extensions: dict[str, Any] = refused.value.response.json()["extensions"]
    codes = {issue["code"] for issue in extensions.get("validationErrors", [])} | {extensions["code"]}
    assert code in codes, extensions
    return extensions
