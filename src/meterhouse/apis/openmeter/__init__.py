"""The OpenMeter facade. Handlers register on `facade` from the modules of `routes`."""

from pathlib import Path

from meterhouse.apis.contract import Contract
from meterhouse.apis.facade import Facade
from meterhouse.apis.openmeter.browsers import admit
from meterhouse.apis.openmeter.errors import OpenMeterErrors

_ULID = "^[0-7][0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{25}$"
_UUID = "[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}"

_HERE = Path(__file__).parent

facade = Facade(
    "openmeter",
    # ids are accepted in both spellings, whichever facade an object was made through
    Contract.load(
        _HERE / "contract.json",
        patterns={_ULID: f"{_ULID}|^{_UUID}$"},
        extensions=_HERE / "extensions.json",
    ),
    OpenMeterErrors(),
    admit=admit,
    document_path="/api/swagger.json",
)
