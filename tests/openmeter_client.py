"""Talking to the OpenMeter facade of a started server: fresh meters, events, and what they amount to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

import httpx

BATCH = "application/cloudevents-batch+json"


def fresh(prefix: str = "m") -> str:
    """A name that nothing else on the shared server has; legal as slug and as event type."""
    return f"{prefix}_{uuid4().hex[:12]}"


def cloud_event(type: str, data: object = None, **rest: object) -> dict[str, Any]:
    """A CloudEvent whose source is its type's own, so that tests may number their events."""
    event = {
        "specversion": "1.0",
        "id": str(uuid4()),
        "source": f"tests/{type}",
        "type": type,
        "subject": "u",
    }
    return event | rest | ({} if data is None else {"data": data})


@dataclass(frozen=True)
class Desk:
    """A plain HTTP client with shorthands."""

    http: httpx.Client

    def meter(self, aggregation: str = "SUM", value: str | None = "$.value", **rest: object) -> str:
        """Create a meter on an event type of the same name, and return that name."""
        name = fresh()
        body = {"slug": name, "eventType": name, "aggregation": aggregation} | rest
        if value is not None and aggregation != "COUNT":
            body["valueProperty"] = value
        answer = self.http.post("/api/v1/meters", json=body)
        assert answer.status_code == 201, answer.text
        return name

    def send(self, *events: Mapping[str, Any]) -> None:
        """Ingest events as one batch."""
        answer = self.post_events(list(events))
        assert answer.status_code == 204, answer.text
        assert answer.content == b""

    def post_events(self, body: object, content_type: str = BATCH) -> httpx.Response:
        """Post anything to the ingest endpoint; texts and bytes as they are."""
        content = body if isinstance(body, str | bytes) else json.dumps(body)
        return self.http.post("/api/v1/events", content=content, headers={"content-type": content_type})

    def query(self, meter: str, *, status: int = 200, **params: Any) -> Any:
        """Ask by GET."""
        answer = self.http.get(f"/api/v1/meters/{meter}/query", params=params)
        assert answer.status_code == status, answer.text
        return answer.json()

    def ask(self, meter: str, body: Mapping[str, Any], *, status: int = 200) -> Any:
        """Ask by POST."""
        answer = self.http.post(f"/api/v1/meters/{meter}/query", json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    def values(self, meter: str, **params: Any) -> list[float]:
        return [row["value"] for row in self.query(meter, **params)["data"]]

    def listed(self, type: str, **params: Any) -> list[dict[str, Any]]:
        """Stored events of a type, newest first."""
        query = {"filter": json.dumps({"type": {"$eq": type}})} | params
        answer = self.http.get("/api/v2/events", params=query)
        assert answer.status_code == 200, answer.text
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    def now(self) -> datetime:
        """The server's time, which may be a test clock's: when a fresh event was accepted."""
        name = fresh("now")
        self.send(cloud_event(name))
        return datetime.fromisoformat(self.listed(name)[0]["ingestedAt"])


def problem(answer: httpx.Response, status: int, *words: str) -> dict[str, Any]:
    """Check a refusal: its status, its shape, and words of its detail."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert (body["type"], body["status"]) == ("about:blank", status)
    assert body["instance"].startswith("urn:request:")
    missing = [word for word in words if word.lower() not in body["detail"].lower()]
    assert not missing, body["detail"]
    return body


def quoted(text: str) -> str:
    """One path segment, every byte percent-encoded."""
    return "".join(f"%{byte:02X}" for byte in text.encode())


# Texts that have broken other servers; none is the name of anything.
HOSTILE = ["'", '"', "\\", "a'; DROP TABLE meters; --", "{x:String}", "\x00", "é", "x" * 200, "../x", " "]
