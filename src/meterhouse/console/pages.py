"""Templates and the headers of every page."""

from __future__ import annotations

from datetime import datetime

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from meterhouse import __version__
from meterhouse.console.assets import Assets
from meterhouse.console.reference.curl import DEFAULT_ORIGIN
from meterhouse.kernel.clock import format_instant

# Everything comes from this server, and nothing is written into the page: a hostile name that got past
# the escaping would still find no script to run, no host to talk to and no form to post to.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # `no-referrer` would make browsers send `Origin: null` with our own forms, which are checked by it.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
PRIVATE = {"Cache-Control": "no-store"}


class Pages:
    """Renders templates with autoescape; a missing value is an error, never an empty place."""

    def __init__(self, assets: Assets) -> None:
        self._environment = Environment(
            loader=PackageLoader("meterhouse.console"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters["instant"] = _instant
        self._environment.filters["utc"] = _utc
        self._environment.globals.update(asset=assets.url, version=__version__, origin=DEFAULT_ORIGIN)

    def html(self, template: str, **values: object) -> str:
        """Render to text."""
        return self._environment.get_template(template).render(**values)

    def answer(self, template: str, *, status: int = 200, **values: object) -> Response:
        """Render a page that depends on who is asking, and that nobody may keep."""
        headers = {**SECURITY_HEADERS, **PRIVATE}
        return HTMLResponse(self.html(template, **values), status_code=status, headers=headers)

    def message(self, title: str, text: str, *, status: int) -> Response:
        """A page that says one thing."""
        return self.answer("message.html", status=status, title=title, text=text, viewer=None)


def _instant(value: datetime) -> str:
    """For the `datetime` attribute of `<time>`."""
    return format_instant(value.replace(microsecond=0))


def _utc(value: datetime) -> str:
    """For readers without scripts, and on hover."""
    return _instant(value).replace("T", " ").removesuffix("Z") + " UTC"
