"""Browser sessions: signing in with an API key, being recognised, signing out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from meterhouse.apis.payload import BodyLimit, read_body
from meterhouse.apis.services import Services
from meterhouse.console.keyring import KeyRing
from meterhouse.console.pages import PRIVATE, SECURITY_HEADERS
from meterhouse.console.throttle import Throttle
from meterhouse.console.tokens import TOKEN_CHARS, issue_token, read_token
from meterhouse.identity.model import ApiKey, Principal
from meterhouse.kernel.errors import Forbidden, Invalid, RateLimited, Unauthenticated

COOKIE = "meterhouse_console"
LIFETIME = timedelta(hours=12)
FORM_BYTES_MAX = 4096


@dataclass(frozen=True)
class Viewer:
    """Who is looking at a page."""

    key: ApiKey

    @property
    def principal(self) -> Principal:
        return Principal(self.key.id, self.key.organisation_id, self.key.scopes)


class Sessions:
    """Issues and reads session cookies."""

    def __init__(self, services: Services, ring: KeyRing, throttle: Throttle) -> None:
        self._services = services
        self._ring = ring
        self._throttle = throttle

    async def find_viewer(self, request: Request) -> Viewer | None:
        """Who sent the request; `None` without a session, or when the key behind it has ended."""
        token = request.cookies.get(COOKIE, "")
        if len(token) != TOKEN_CHARS:
            return None
        secret = await self._ring.find_secret()
        now = self._services.clock.now()
        key_id = read_token(secret, token, now) if secret is not None else None
        key = await self._ring.find_key(key_id) if key_id is not None else None
        return Viewer(key) if key is not None and key.is_usable(now) else None

    async def sign_in(self, request: Request) -> Response:
        """Turn a posted API key into a session.

        Raises `Forbidden` for a form of another site, `RateLimited` after too many failures,
        `Unauthenticated` for a key that opens nothing, `BodyTooLarge` or `Invalid` for what is no such form.
        """
        require_same_origin(request)
        peer = request.client.host if request.client else "unknown"
        if wait_s := self._throttle.wait_s(peer):
            raise RateLimited(
                f"Too many failed attempts. Try again in {wait_s} seconds.", retry_after_s=wait_s
            )
        presented = await _read_key(request)
        try:
            principal = await self._services.authenticator.authenticate(presented)
        except Unauthenticated:
            self._throttle.record_failure(peer)
            raise
        self._throttle.record_success(peer)
        return await self._begin(request, principal)

    async def _begin(self, request: Request, principal: Principal) -> Response:
        now = self._services.clock.now()
        token = issue_token(await self._ring.ensure_secret(now), principal.key_id, now + LIFETIME)
        answer = _home()
        answer.set_cookie(
            COOKIE,
            token,
            max_age=int(LIFETIME.total_seconds()),
            path="/",
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="strict",
        )
        return answer

    def sign_out(self, request: Request) -> Response:
        """Forget the session in this browser. Raises `Forbidden` for a form of another site."""
        require_same_origin(request)
        answer = _home()
        forget(answer)
        return answer


def require_same_origin(request: Request) -> None:
    """Raise `Forbidden` unless a page of this server sent the form.

    Every browser names the origin of a POST. Only hosts are compared: behind a proxy that ends TLS the
    scheme seen here is not the one the browser used.
    """
    origin = urlsplit(request.headers.get("origin", ""))
    if not origin.netloc or origin.netloc.lower() != request.headers.get("host", "").lower():
        raise Forbidden("This form was not sent from this server's own page. Open the console and try again.")


def forget(answer: Response) -> None:
    """Have the browser drop the session cookie."""
    answer.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")


def _home() -> RedirectResponse:
    return RedirectResponse("/", status_code=303, headers={**SECURITY_HEADERS, **PRIVATE})


async def _read_key(request: Request) -> str:
    """The field `key` of a posted form. Raises `BodyTooLarge` or `Invalid` for what is no such form."""
    body = await read_body(BodyLimit(request.receive, FORM_BYTES_MAX))
    try:
        fields = parse_qs(body.decode("ascii"), max_num_fields=10, errors="strict")
    except ValueError as error:
        raise Invalid("That is no sign-in form.") from error
    return fields.get("key", [""])[0].strip()
