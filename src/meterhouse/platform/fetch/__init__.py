"""The one guarded way out to the network."""

from meterhouse.platform.fetch.client import GuardedFetcher
from meterhouse.platform.fetch.guard import AddressPolicy, Target, check_url, parse_target
from meterhouse.platform.fetch.network import GuardedBackend, Resolver, check_reachable

__all__ = [
    "AddressPolicy",
    "GuardedBackend",
    "GuardedFetcher",
    "Resolver",
    "Target",
    "check_reachable",
    "check_url",
    "parse_target",
]
