"""The Polar facade. Handlers register on `facade` from the modules of `routes`.

Requests are checked by the pydantic models of `schemas`: the published error items are pydantic's.
"""

from pathlib import Path

from meterhouse.apis.contract import Contract
from meterhouse.apis.facade import Facade
from meterhouse.apis.polar.admission import admit
from meterhouse.apis.polar.errors import PolarErrors

_HERE = Path(__file__).parent

facade = Facade(
    "polar",
    Contract.load(_HERE / "contract.json", extensions=_HERE / "extensions.json"),
    PolarErrors(),
    checks_requests=False,
    redirects_slashes=True,
    headers=[(b"cache-control", b"private, no-store")],
    admit=admit,
)
