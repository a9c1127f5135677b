"""The Meter facade. Handlers register on `facade` from the modules of `routes`."""

from pathlib import Path

from meterhouse.apis.contract import Contract
from meterhouse.apis.facade import Facade
from meterhouse.apis.meter.errors import MeterErrors

facade = Facade("meter", Contract.load(Path(__file__).with_name("contract.json")), MeterErrors())
