"""`/docs`: the reference pages, rendered once and served compressed from memory."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from meterhouse.apis.facade import Facade
from meterhouse.console.pages import SECURITY_HEADERS, Pages
from meterhouse.console.reference.operations import Describer

INDEX = "index"
TITLES = {
    "meter": (
        "Meter",
        "Strategies, jobs, schedules and workflows: collect data from pages and notice changes.",
    ),
    "openmeter": ("OpenMeter", "Events, meters, entitlements, subscriptions and invoices."),
    "polar": ("Polar", "Meters, events, customers and customer meters."),
}


@dataclass(frozen=True)
class Rendered:
    """A finished body, plain and compressed."""

    plain: bytes
    packed: bytes
    etag: str
    media_type: str


class Reference:
    """The reference of all facades. What it shows is fixed once the handlers are registered."""

    def __init__(self, facades: Mapping[str, Facade], pages: Pages) -> None:
        self._facades = facades
        self._pages = pages
        self._rendered: dict[str, Rendered] = {}
        self._turn = asyncio.Lock()

    def routes(self) -> list[Route]:
        # the contract's route is first: a facade's name has no dot, so neither can hide the other
        return [
            Route("/docs", self.show_index),
            Route("/docs/{name}.json", self.show_contract),
            Route("/docs/{name}", self.show_facade),
        ]

    async def show_index(self, request: Request) -> Response:
        return await self._show(request, INDEX, self._render_index, "text/html; charset=utf-8")

    async def show_facade(self, request: Request) -> Response:
        facade = self._facades.get(request.path_params["name"])
        if facade is None:
            return self._missing()
        return await self._show(
            request, facade.name, lambda: self._render_facade(facade), "text/html; charset=utf-8"
        )

    async def show_contract(self, request: Request) -> Response:
        facade = self._facades.get(request.path_params["name"])
        if facade is None:
            return self._missing()
        return await self._show(
            request, f"{facade.name}.json", facade.contract.file.read_bytes, "application/json"
        )

    def _missing(self) -> Response:
        text = "There is no such interface. The API reference lists those that this server speaks."
        return self._pages.message("Not found", text, status=404)

    async def _show(
        self, request: Request, key: str, render: Callable[[], bytes], media_type: str
    ) -> Response:
        if key not in self._rendered:
            async with self._turn:
                if key not in self._rendered:
                    # in a thread: the largest page takes long enough to hold up other requests
                    self._rendered[key] = await asyncio.to_thread(_finish, render, media_type)
        return _answer(request, self._rendered[key])

    def _render_index(self) -> bytes:
        cards = [
            {
                "name": name,
                "title": TITLES.get(name, (name, ""))[0],
                "text": TITLES.get(name, (name, ""))[1],
                "served": len(facade.served),
                "total": len(facade.contract.operations),
            }
            for name, facade in self._facades.items()
        ]
        return self._pages.html("docs_index.html", cards=cards, viewer=None).encode()

    def _render_facade(self, facade: Facade) -> bytes:
        described = Describer(facade)
        return self._pages.html(
            "docs_facade.html",
            name=facade.name,
            title=TITLES.get(facade.name, (facade.name, ""))[0],
            text=TITLES.get(facade.name, ("", ""))[1],
            groups=described.groups,
            schemas=described.schemas,
            served=len(facade.served),
            total=len(facade.contract.operations),
            viewer=None,
        ).encode()


def _finish(render: Callable[[], bytes], media_type: str) -> Rendered:
    plain = render()
    etag = f'"{hashlib.sha256(plain).hexdigest()[:32]}"'
    return Rendered(plain, gzip.compress(plain, 6, mtime=0), etag, media_type)


def _answer(request: Request, rendered: Rendered) -> Response:
    headers = {
        **SECURITY_HEADERS,
        "Cache-Control": "no-cache",
        "ETag": rendered.etag,
        "Vary": "Accept-Encoding",
    }
    if rendered.etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    body = rendered.plain
    if "gzip" in request.headers.get("accept-encoding", ""):
        body = rendered.packed
        headers["Content-Encoding"] = "gzip"
    return Response(body, media_type=rendered.media_type, headers=headers)
