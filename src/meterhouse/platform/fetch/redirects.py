"""What the next request of a redirected fetch is: address, method, headers and body."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import httpx

from meterhouse.platform.fetch.guard import Target, parse_target
from meterhouse.platform.ports import FetchFailed

REDIRECT_STATUSES = frozenset({301, 302, 303, 307, 308})

# Headers that describe what is wanted and not who asks. Only these cross to another origin: a key may
# hide in any other header, whatever its name.
_IMPERSONAL = frozenset(
    {
        "accept",
        "accept-language",
        "cache-control",
        "content-language",
        "content-type",
        "if-modified-since",
        "if-none-match",
        "pragma",
        "range",
        "user-agent",
    }
)


@dataclass(frozen=True)
class Hop:
    """One request of a fetch. Header names are lower case; framing headers are not among them."""

    target: Target
    method: str
    headers: Mapping[str, str]
    body: bytes | None = None


def follow(hop: Hop, status: int, location: str) -> Hop:
    """Return the request a redirect asks for.

    303, and 301 or 302 after POST, turn into GET without a body, as browsers do. Across origins only
    impersonal headers are kept; a step from http to https on the default ports of one host is no
    change of origin. Raises `FetchFailed` (`bad_url`) for a location that cannot be fetched.
    """
    try:
        url = str(httpx.URL(hop.target.url).join(location.strip()))
        target = parse_target(url)
    except (httpx.InvalidURL, ValueError) as error:
        raise _bad_location(hop, location, f"it cannot be read ({error}).") from None
    except FetchFailed as failure:
        raise _bad_location(hop, location, failure.message) from None
    following = replace(hop, target=target)
    if (status == 303 and hop.method != "HEAD") or (status in (301, 302) and hop.method == "POST"):
        headers = {k: v for k, v in hop.headers.items() if not k.startswith("content-")}
        following = replace(following, method="GET", body=None, headers=headers)
    if not _same_owner(hop.target, target):
        kept = {k: v for k, v in following.headers.items() if k in _IMPERSONAL}
        following = replace(following, headers=kept)
    return following


def _same_owner(old: Target, new: Target) -> bool:
    if old.origin == new.origin:
        return True
    return (
        old.host == new.host
        and (old.scheme, old.port) == ("http", 80)
        and (new.scheme, new.port) == ("https", 443)
    )


def _bad_location(hop: Hop, location: str, fault: str) -> FetchFailed:
    return FetchFailed(
        f"{hop.target.url} redirects to an address that is not followed: {fault}",
        details={"url": hop.target.url, "location": location[:500]},
        reason="bad_url",
    )
