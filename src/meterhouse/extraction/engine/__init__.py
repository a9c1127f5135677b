"""Pure functions from pages to strategies and items: no network, no model, no clock."""

from meterhouse.extraction.engine.generate import generate
from meterhouse.extraction.engine.run import run

__all__ = ["generate", "run"]
