"""A server whose clock tests move: short ways to say so, and a page that the product watches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx
from meter_sdk import MeterClient
from tests.pages import shop_page
from tests.server import ServerProcess
from tests.site import Site

ASK = "phone titles and prices"
SCHEMA = {"title": "string", "price": "number"}


@dataclass
class Watched:
    """The published client, a plain one, and a site, around a server of which only the clock runs time."""

    server: ServerProcess
    client: MeterClient
    raw: httpx.Client
    site: Site

    def now(self) -> datetime:
        return clock_of(self.server)

    def move_to(self, instant: datetime) -> None:
        """Move the clock; everything that thereby became due is done on return."""
        clock_of(self.server, move_to=instant)

    def move(self, **by: float) -> None:
        self.move_to(self.now() + timedelta(**by))

    def price(self, *prices: float) -> None:
        self.site.pages["/phones"] = shop_page(*prices)

    def strategy(self, path: str = "/phones", **given: Any) -> str:
        made = self.client.generate_strategy(
            self.site.url(path), ASK, given.pop("name", "Phones"), output_schema=SCHEMA, **given
        )
        return str(made["strategy_id"])

    def jobs(self, schedule_id: str) -> list[dict[str, Any]]:
        return list(self.client.list_jobs(schedule_id=schedule_id, limit=1000))

    def schedule(self, schedule_id: str) -> dict[str, Any]:
        answer = self.raw.get(f"/api/schedules/{schedule_id}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


def clock_of(server: ServerProcess, *, move_to: datetime | None = None) -> datetime:
    """What a server's clock shows, after it was moved if that is asked."""
    url = f"{server.base_url}/testing/clock"
    if move_to is None:
        answer = httpx.get(url, timeout=120, trust_env=False)
    else:
        answer = httpx.put(url, json={"now": move_to.isoformat()}, timeout=120, trust_env=False)
    assert answer.status_code == 200, answer.text
    return datetime.fromisoformat(answer.json()["now"])


def watched(server: ServerProcess, client_url: str, raw_url: str) -> Iterator[Watched]:
    site = Site()
    site.pages["/phones"] = shop_page(199, 249, 299)
    raw = httpx.Client(base_url=raw_url, headers=server.headers, timeout=60, trust_env=False)
    with raw, MeterClient(server.api_key, client_url) as client:
        yield Watched(server, client, raw, site)
        for schedule in client.list_schedules():
            client.delete_schedule(schedule["schedule_id"])
    site.close()
