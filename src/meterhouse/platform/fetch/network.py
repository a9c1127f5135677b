"""Opening connections: resolve, check, and connect to exactly the address that was checked."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterable
from ipaddress import ip_address
from typing import Protocol

import httpcore

from meterhouse.platform.fetch.addresses import IPAddress, canonical
from meterhouse.platform.fetch.guard import AddressPolicy, Target, blocked, parse_target
from meterhouse.platform.ports import FetchFailed

ADDRESSES_TRIED_MAX = 4
RESOLVE_TIMEOUT_S = 10.0


class Resolver(Protocol):
    """Finds the addresses of a host name, best first. Raises `OSError` when there are none."""

    async def __call__(self, host: str, port: int) -> tuple[IPAddress, ...]: ...


async def resolve_by_system(host: str, port: int) -> tuple[IPAddress, ...]:
    """Ask the operating system, so that /etc/hosts and the configured name servers apply."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return tuple(dict.fromkeys(canonical(ip_address(str(entry[4][0]))) for entry in found))


async def addresses_of(
    target: Target, policy: AddressPolicy, resolver: Resolver, *, timeout_s: float = RESOLVE_TIMEOUT_S
) -> tuple[IPAddress, ...]:
    """Return the addresses of a target that may be connected to, best first, never empty.

    Raises `FetchFailed`: `dns`, `timeout`, or `blocked_address` when every address is refused.
    """
    if target.address is not None:
        return policy.select(target, (target.address,))
    try:
        async with asyncio.timeout(timeout_s):
            found = await resolver(target.host, target.port)
    except TimeoutError:
        raise _dns_failed(target, f"no answer within {timeout_s:g} s", "timeout") from None
    except socket.gaierror as error:
        # EAI_AGAIN is the name server's trouble; any other code is an answer about the name.
        raise _dns_failed(
            target, error.strerror or "no such name", retryable=error.errno == socket.EAI_AGAIN
        ) from None
    except (OSError, UnicodeError) as error:
        raise _dns_failed(target, str(error) or "no such name") from None
    if not found:
        raise _dns_failed(target, "the name has no addresses")
    return policy.select(target, tuple(canonical(address) for address in found))


async def check_reachable(url: str, policy: AddressPolicy, resolver: Resolver = resolve_by_system) -> Target:
    """Check a URL and what its host resolves to at this moment, without connecting.

    This is for telling a user early. It promises nothing about a later connection, which has to be
    checked again when it is opened. Raises `FetchFailed`.
    """
    target = parse_target(url)
    await addresses_of(target, policy, resolver)
    return target


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """The only place where outbound connections are opened.

    A name is resolved once for each connection, every address is checked, and the connection goes to
    a checked address: a name server that answers differently the next time gains nothing. TLS is
    started later by the caller, under the host's name.
    """

    def __init__(
        self,
        policy: AddressPolicy,
        resolver: Resolver = resolve_by_system,
        backend: httpcore.AsyncNetworkBackend | None = None,
    ) -> None:
        self._policy = policy
        self._resolver = resolver
        self._backend = backend or httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect within `timeout` seconds, resolution included.

        Raises `FetchFailed`: `dns`, `blocked_address`, `connect` or `timeout`.
        """
        started = time.monotonic()
        limit_s = RESOLVE_TIMEOUT_S if timeout is None else timeout
        target = parse_target(f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/")
        addresses = await addresses_of(target, self._policy, self._resolver, timeout_s=limit_s)
        addresses = addresses[:ADDRESSES_TRIED_MAX]
        failure: Exception | None = None
        for position, address in enumerate(addresses):
            # The remaining time is shared out, so that one dead address does not eat it all.
            remaining_s = limit_s - (time.monotonic() - started)
            share_s = max(remaining_s, 0.001) / (len(addresses) - position)
            try:
                return await self._connect_to(address, target, share_s)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        assert failure is not None
        raise _connect_failed(target, addresses, failure, limit_s) from failure

    async def _connect_to(
        self, address: IPAddress, target: Target, timeout_s: float
    ) -> httpcore.AsyncNetworkStream:
        # The last word before the socket, whatever happened to the list on its way here.
        if not self._policy.permits(address, host=target.host, port=target.port):
            raise blocked(target, (address,))
        return await self._backend.connect_tcp(str(address), target.port, timeout=timeout_s)

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Refuse: local sockets are never a target."""
        raise FetchFailed(f"Local sockets cannot be fetched from ({path}).", reason="bad_url")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def _dns_failed(target: Target, fault: str, reason: str = "dns", *, retryable: bool = True) -> FetchFailed:
    return FetchFailed(
        f"The name {target.host} could not be resolved: {fault}.",
        details={"host": target.host},
        retryable=retryable,
        reason="timeout" if reason == "timeout" else "dns",
    )


def _connect_failed(
    target: Target, addresses: tuple[IPAddress, ...], failure: Exception, limit_s: float
) -> FetchFailed:
    tried = ", ".join(str(address) for address in addresses)
    timed_out = isinstance(failure, httpcore.ConnectTimeout)
    cause = failure.args[0] if failure.args else None
    fault = f"no answer within {limit_s:g} s" if timed_out else _os_text(cause)
    return FetchFailed(
        f"No connection to {target.host} port {target.port} ({tried}): {fault}.",
        details={
            "host": target.host,
            "port": target.port,
            "addresses": [str(address) for address in addresses],
        },
        retryable=True,
        reason="timeout" if timed_out else "connect",
    )


def _os_text(cause: object) -> str:
    """Return the operating system's words for a failed connect, without its numbers and tuples."""
    while isinstance(cause, OSError) and cause.errno is None and cause.__cause__ is not None:
        cause = cause.__cause__
    if isinstance(cause, OSError):
        return cause.strerror or str(cause) or "the connection failed"
    return str(cause) if cause is not None else "the connection failed"
