"""Meterhouse: collect, meter and bill with one self-hosted server."""

__version__ = "0.1.0"
