"""One Chromium for the tier, allowed to reach the sites of the tests and nothing else that is private.

Without a Chromium these tests fail, and say how to get one.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
from tests.script_site import ScriptSite

from meterhouse.platform.browser import ChromiumBrowser
from meterhouse.platform.fetch import AddressPolicy, GuardedFetcher


@pytest.fixture
def site() -> Iterator[ScriptSite]:
    opened = ScriptSite()
    yield opened
    opened.close()


@pytest.fixture
def forbidden() -> Iterator[ScriptSite]:
    """A site that nothing is allowed to reach."""
    opened = ScriptSite("127.0.0.1")
    opened.routes["/*"] = "<html><body>secret</body></html>"
    yield opened
    opened.close()


Open = Callable[[ScriptSite], ChromiumBrowser]


@pytest.fixture(scope="session")
async def shared_browser() -> AsyncIterator[ChromiumBrowser]:
    """For tests whose sites need no more narrow policy than the loopback."""
    opened = ChromiumBrowser(
        AddressPolicy.parse("127.0.0.1"), executable=os.environ.get("METERHOUSE_BROWSER", "")
    )
    yield opened
    await opened.aclose()


@pytest.fixture
async def guarded(site: ScriptSite) -> AsyncIterator[ChromiumBrowser]:
    """A browser that may reach `site` and no other private address, not even on the same machine."""
    opened = ChromiumBrowser(
        AddressPolicy.parse(f"127.0.0.1:{site.port}"), executable=os.environ.get("METERHOUSE_BROWSER", "")
    )
    yield opened
    await opened.aclose()


@pytest.fixture
async def fetcher() -> AsyncIterator[GuardedFetcher]:
    async with GuardedFetcher(AddressPolicy.parse("127.0.0.1")) as opened:
        yield opened
