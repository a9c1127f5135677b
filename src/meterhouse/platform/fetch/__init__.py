"""The one guarded way out to the network."""

from meterhouse.platform.fetch.client import GuardedFetcher
from meterhouse.platform.fetch.guard import AddressPolicy, Target, check_url, parse_target
from meterhouse.platform.fetch.network import GuardedBackend, Resolver, check_reachable
from meterhouse.platform.fetch.polite import PoliteFetcher
from meterhouse.platform.fetch.robots import Robots

__all__ = [
    "AddressPolicy",
    "GuardedBackend",
    "GuardedFetcher",
    "PoliteFetcher",
    "Resolver",
    "Robots",
    "Target",
    "check_reachable",
    "check_url",
    "parse_target",
]
