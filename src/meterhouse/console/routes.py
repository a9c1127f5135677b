"""All routes of the console and the API reference, for the composition root."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.routing import BaseRoute

from meterhouse.apis.facade import Facade
from meterhouse.apis.services import Services
from meterhouse.console.assets import Assets
from meterhouse.console.home import Home
from meterhouse.console.keyring import KeyRing, PostgresKeyRing
from meterhouse.console.overview import OverviewSource
from meterhouse.console.pages import SECURITY_HEADERS, Pages
from meterhouse.console.reference.pages import Reference
from meterhouse.console.sessions import Sessions
from meterhouse.console.sources import ContextSource
from meterhouse.console.throttle import Throttle


def console_routes(
    services: Services,
    facades: Mapping[str, Facade],
    *,
    source: OverviewSource | None = None,
    ring: KeyRing | None = None,
) -> list[BaseRoute]:
    """Build `/`, `/docs…` and `/console/…`. Call after `Facade.load`, so that the reference knows what works.

    `source` and `ring` replace what the overview and the sessions read; by default both use `services`.
    """
    assets = Assets()
    pages = Pages(assets)
    sessions = Sessions(services, ring or PostgresKeyRing(services.database), Throttle())
    home = Home(sessions, source or ContextSource(services), pages)
    return [*home.routes(), *Reference(facades, pages).routes(), assets.route(SECURITY_HEADERS)]
