"""`/`: what Meterhouse is for those who are signed out, the overview for those who are signed in."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from meterhouse.console.overview import OverviewSource, load_outbox, load_overview
from meterhouse.console.pages import Pages
from meterhouse.console.sessions import COOKIE, Sessions, Viewer, forget
from meterhouse.kernel.errors import (
    DependencyFailed,
    Forbidden,
    Invalid,
    LimitExceeded,
    MeterhouseError,
    RateLimited,
    Unauthenticated,
)

_STATUSES: tuple[tuple[type[MeterhouseError], int], ...] = (
    (Unauthenticated, 401),
    (Forbidden, 403),
    (Invalid, 400),
    (LimitExceeded, 413),
    (RateLimited, 429),
    (DependencyFailed, 503),
)
_REFUSED = "That key opens nothing here: it is unknown, revoked or expired."
_ENDED = "Your session has ended. Sign in again."


class Home:
    """The handlers of the console's own pages."""

    def __init__(self, sessions: Sessions, source: OverviewSource, pages: Pages) -> None:
        self._sessions = sessions
        self._source = source
        self._pages = pages

    def routes(self) -> list[Route]:
        return [
            Route("/", self.show),
            Route("/console/outbox", self.show_outbox),
            Route("/console/sign-in", self.sign_in, methods=["POST"]),
            Route("/console/sign-out", self.sign_out, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        viewer = await self._viewer(request)
        if isinstance(viewer, Response):
            return viewer
        overview = await load_overview(self._source, viewer.principal)
        return self._pages.answer("overview.html", viewer=viewer, overview=overview)

    async def show_outbox(self, request: Request) -> Response:
        """The emails that were worded here and never sent."""
        viewer = await self._viewer(request)
        if isinstance(viewer, Response):
            return viewer
        outbox = await load_outbox(self._source, viewer.principal)
        return self._pages.answer("outbox.html", viewer=viewer, outbox=outbox)

    async def _viewer(self, request: Request) -> Viewer | Response:
        """Who is looking, or the page for those who are not signed in."""
        try:
            viewer = await self._sessions.find_viewer(request)
        except DependencyFailed as error:
            return self._signed_out(error.message, status=503)
        if viewer is not None:
            return viewer
        if COOKIE not in request.cookies:
            return self._signed_out(None)
        answer = self._signed_out(_ENDED)
        forget(answer)
        return answer

    async def sign_in(self, request: Request) -> Response:
        try:
            return await self._sessions.sign_in(request)
        except Unauthenticated:
            return self._signed_out(_REFUSED, status=401)
        except tuple(kind for kind, _ in _STATUSES) as error:
            return self._refuse(error)

    async def sign_out(self, request: Request) -> Response:
        try:
            return self._sessions.sign_out(request)
        except Forbidden as error:
            return self._refuse(error)

    def _refuse(self, error: MeterhouseError) -> Response:
        status = next(status for kind, status in _STATUSES if isinstance(error, kind))
        answer = self._signed_out(error.message, status=status)
        if isinstance(error, RateLimited):
            answer.headers["Retry-After"] = str(error.retry_after_s)
        return answer

    def _signed_out(self, notice: str | None, *, status: int = 200) -> Response:
        return self._pages.answer("home.html", status=status, viewer=None, notice=notice)
