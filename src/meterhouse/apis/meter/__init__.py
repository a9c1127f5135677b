"""The Meter facade. Handlers register on `facade` from the modules of `routes`."""

from pathlib import Path

from meterhouse.apis.contract import Contract
from meterhouse.apis.facade import Facade
from meterhouse.apis.meter.errors import MeterErrors

_HERE = Path(__file__).parent

facade = Facade(
    "meter",
    Contract.load(_HERE / "contract.json", extensions=_HERE / "extensions.json"),
    MeterErrors(),
)
