"""Making a strategy's request again, over plain HTTP: the page is visited only for what it alone can give."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from meterhouse.extraction.capture.requests import is_api_address, prepare
from meterhouse.extraction.capture.tokens import read_tokens
from meterhouse.extraction.pages import FetchedPage, fetch_answer, fetch_page
from meterhouse.extraction.plan import ApiRequest, Scalar
from meterhouse.platform.ports import Fetcher


@dataclass
class Tally:
    """What a run has cost so far, also when it then fails."""

    status: int | None = None
    bytes: int = 0
    pages: int = 0

    def add(self, fetched: FetchedPage) -> FetchedPage:
        self.status = fetched.status
        self.bytes += fetched.bytes
        self.pages += 1
        return fetched


@dataclass
class Conversation:
    """One page's dealings with the API behind it."""

    fetcher: Fetcher
    request: ApiRequest
    url: str
    tally: Tally
    tokens: dict[str, str] = field(default_factory=dict)
    cookies: Mapping[str, str] = field(default_factory=dict)
    address: str = ""

    @classmethod
    async def begin(
        cls, fetcher: Fetcher, request: ApiRequest, url: str, tally: Tally, *, page: FetchedPage | None = None
    ) -> Conversation:
        """Get ready; the page is fetched when the request needs something of it and `page` is not given."""
        self = cls(fetcher, request, url, tally)
        if request.needs_page:
            source = request.page if is_api_address(request, url) else url
            visited = page if page is not None else tally.add(await fetch_page(fetcher, source))
            self.tokens = read_tokens(request.tokens, visited.page, visited.cookies)
            self.cookies = visited.cookies if request.cookies else {}
        return self

    async def ask(self, overrides: Mapping[str, Scalar], *, address: str | None = None) -> FetchedPage:
        """Make the request with these values, or the one at a given address. Raises `PageNotFetched`."""
        prepared = prepare(self.request, self.url, tokens=self.tokens, overrides=overrides)
        if address is not None:
            prepared = replace(prepared, url=address)
        if self.cookies:
            cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
            prepared = replace(prepared, headers={**prepared.headers, "cookie": cookie})
        self.address = prepared.url
        base = self.request.page if is_api_address(self.request, self.url) else self.url
        return self.tally.add(await fetch_answer(self.fetcher, prepared, page_url=base))
