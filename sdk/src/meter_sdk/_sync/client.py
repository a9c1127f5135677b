# Generated from _async by generate.py.
"""The client: collecting as methods of its own, usage and billing as namespaces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from .. import _config as config
from .._config import DEFAULT_BASE_URL, DEFAULT_RETRIES, DEFAULT_TIMEOUT_S
from .account import Account
from .groups import Groups
from .jobs import Jobs
from .namespaces import Namespaces
from .schedules import Schedules
from .strategies import Strategies
from .workflow_schedules import WorkflowSchedules
from .workflows import Workflows

if TYPE_CHECKING:
    import httpx

Self = TypeVar("Self", bound="MeterClient")


class MeterClient(Strategies, Jobs, Schedules, Workflows, WorkflowSchedules, Groups, Account, Namespaces):
    """Collect, meter and bill. Safe to share; keeps its connections until it is closed.

    Args:
        api_key: The key; `METER_API_KEY` if not given.
        base_url: Where the server is; `METER_BASE_URL` if not given.
        timeout: Seconds that a call may take. Calls that work long have longer limits of their own, and every
            method takes `request_timeout`.
        max_retries: How often a call that failed for a passing reason is repeated, if a repeat does no harm.
        headers: Further headers of every request.
        transport: Sends requests in place of the network, as in httpx: for tests and proxies.
        http_client: An httpx client with settings of its own; closing it is up to its owner.

    Raises:
        AuthenticationError: There is no key.
        SetupError: The address is none.
    """

    def __init__(
        self,
        api_key: str | None = None,
        base_url: str = DEFAULT_BASE_URL,
        *,
        timeout: float = DEFAULT_TIMEOUT_S,
        max_retries: int = DEFAULT_RETRIES,
        headers: Mapping[str, str] | None = None,
        transport: httpx.BaseTransport | None = None,
        http_client: httpx.Client | None = None,
    ) -> None:
        # The HTTP library takes most of the time to load; programs that only import this one need not wait.
        import httpx

        from .transport import Transport

        self.api_key = config.api_key_of(api_key)
        self.base_url = config.base_url_of(base_url)
        timeout_s = config.timeout_of(timeout, DEFAULT_TIMEOUT_S)
        self._owns_http = http_client is None
        self.client = httpx.Client(transport=transport) if http_client is None else http_client
        super().__init__(
            Transport(
                self.client,
                self.base_url,
                timeout_s=timeout_s,
                retries=config.retries_of(max_retries),
                headers=config.headers_of(self.api_key, headers),
            )
        )

    def with_options(
        self: Self,
        *,
        timeout: float | None = None,
        max_retries: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Self:
        """The same client with other options, on the same connections: `client.with_options(timeout=5).get_job(…)`.

        Args:
            timeout: Seconds that a call may take.
            max_retries: How often a failed call is repeated at most.
            headers: Further headers.

        Returns:
            A client that need not be closed.

        Raises:
            ArgumentError: An option is malformed.
        """
        other = object.__new__(type(self))
        other.api_key, other.base_url, other.client = self.api_key, self.base_url, self.client
        other._owns_http = False
        other._transport = self._transport.copy(
            timeout_s=None if timeout is None else config.timeout_of(timeout, DEFAULT_TIMEOUT_S),
            retries=None if max_retries is None else config.retries_of(max_retries),
            headers=headers,
        )
        return other

    def close(self) -> None:
        """Deliver what open buffers hold, then close the connections."""
        try:
            self._transport.closing()
        finally:
            if self._owns_http:
                self.client.close()

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(self, *args: Any) -> None:
        self.close()
