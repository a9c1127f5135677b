"""Adapters to the outside: engines, network, queue, telemetry. Contexts see only `ports`."""
