"""The wire tier: clients talk through recording proxies to a running server.

Everything hangs on the fixture `server` of `tests/conftest.py`: a really started process.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import astuple
from pathlib import Path

import httpx
import pytest
from tests.server import ServerProcess
from tests.wire.clocked import Watched, watched
from tests.wire.recorder import Exercise, Recorder, Recording
from tests.wire.releases import Walks

from meterhouse.apis import meter, openmeter, polar
from meterhouse.apis.facade import Facade

HTTP_TEST = "HTTP test"
FACADES: tuple[Facade, ...] = (meter.facade, openmeter.facade, polar.facade)

HERE = Path(__file__).parent
# The modules of the tier that this run has in full.
_modules = pytest.StashKey[AbstractSet[str]]()


@pytest.fixture(scope="session")
def facades() -> tuple[Facade, ...]:
    """The product's facades with the handlers that they serve."""
    for facade in FACADES:
        facade.load()
    return FACADES


@pytest.fixture(scope="session")
def recording() -> Recording:
    return Recording()


@pytest.fixture(scope="session")
def recorder_of(recording: Recording) -> Iterator[Callable[[str], Recorder]]:
    """A recorder in front of any server, for tests that start one of their own: `recorder_of(base_url)`."""
    recorders: dict[str, Recorder] = {}

    def of(base_url: str) -> Recorder:
        if base_url not in recorders:
            recorders[base_url] = Recorder(base_url, recording)
        return recorders[base_url]

    yield of
    for recorder in recorders.values():
        recorder.close()


@pytest.fixture(scope="session")
def recorder(server: ServerProcess, recorder_of: Callable[[str], Recorder]) -> Recorder:
    """Ask it for a base URL: `recorder.url_for("polar-sdk 1.0.2")`."""
    return recorder_of(server.base_url)


@pytest.fixture(scope="session")
def clocked_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server apart for the tests that move its clock."""
    process = ServerProcess(tmp_path_factory.mktemp("clocked") / "data")
    try:
        yield process.start()
    finally:
        process.close()


@pytest.fixture(scope="session")
def release_walks(
    request: pytest.FixtureRequest, recorder: Recorder, server: ServerProcess
) -> Iterator[Walks]:
    """Releases of Polar's client at work: those whose tests were collected."""
    asking = [item for item in request.session.items if _asks_for(item, "release_walks")]
    walks = Walks(recorder, server)
    walks.start([item.callspec.params["release"] for item in asking])  # type: ignore[attr-defined]
    yield walks
    walks.close()


@pytest.fixture(scope="session", autouse=True)
def walks_begin_first(request: pytest.FixtureRequest) -> None:
    """Let the releases walk from the first test of the tier on, beside all others."""
    if any(_asks_for(item, "release_walks") for item in request.session.items):
        request.getfixturevalue("release_walks")


@pytest.fixture
def world(clocked_server: ServerProcess, recorder_of: Callable[[str], Recorder]) -> Iterator[Watched]:
    """The server with a clock to move, a site to watch, and clients whose calls are recorded."""
    recorder = recorder_of(clocked_server.base_url)
    yield from watched(clocked_server, recorder.url_for("meter-sdk 0.8.0"), recorder.url_for(HTTP_TEST))


@pytest.fixture
def http(recorder: Recorder, server: ServerProcess) -> Iterator[httpx.Client]:
    """A plain HTTP client with the key; its calls are recorded as those of an HTTP test."""
    headers = {"authorization": f"Bearer {server.api_key}"}
    with httpx.Client(base_url=recorder.url_for(HTTP_TEST), headers=headers, timeout=60) as client:
        yield client


@pytest.fixture
def stranger(recorder: Recorder) -> Iterator[httpx.Client]:
    """A plain HTTP client without a key."""
    with httpx.Client(base_url=recorder.url_for(HTTP_TEST), timeout=60) as client:
        yield client


@pytest.fixture(autouse=True)
def every_answer_fits_its_contract(recording: Recording) -> Iterator[None]:
    """Fail the test during which an answer departed from its contract."""
    yield
    violations = recording.take_violations()
    assert not violations, "answers that depart from the contract:\n" + "\n".join(violations)


@pytest.fixture
def complete_recording(recording: Recording, request: pytest.FixtureRequest) -> Recording:
    """The recording of the whole tier; skips when only a part of it was run.

    Parts of the tier that were run by themselves count where each left its recording for the others.
    """
    exercises, modules = set(recording.exercises), set(request.config.stash[_modules])
    for path in _recordings().glob("*.json") if _recordings() else ():
        left = json.loads(path.read_text())
        exercises.update(Exercise(*one) for one in left["exercises"])
        modules.update(left["modules"])
    if not modules.issuperset(path.name for path in HERE.glob("test_*.py")):
        pytest.skip("needs a run of the whole wire tier")
    return Recording(exercises)


@pytest.fixture(scope="session", autouse=True)
def recording_is_left(recording: Recording, request: pytest.FixtureRequest) -> Iterator[None]:
    """Leave what this part of the tier has recorded for whoever looks back on all of it."""
    yield
    if (folder := _recordings()) is not None:
        folder.mkdir(parents=True, exist_ok=True)
        left = {
            "modules": sorted(request.config.stash[_modules]),
            "exercises": [astuple(one) for one in sorted(recording.exercises)],
        }
        (folder / f"{os.getpid()}.json").write_text(json.dumps(left))


def _recordings() -> Path | None:
    folder = os.environ.get("METERHOUSE_RECORDINGS", "")
    return Path(folder) if folder else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put those tests at the end that leave odd things behind, wait for others, or look back on the tier."""
    last = ("odd_pools", "release_walks", "complete_recording")
    items.sort(
        key=lambda item: max((n for n, name in enumerate(last, 1) if _asks_for(item, name)), default=0)
    )
    narrowed = config.option.keyword or config.option.markexpr or any("::" in arg for arg in config.args)
    config.stash[_modules] = (
        frozenset() if narrowed else {item.path.name for item in items if item.path.parent == HERE}
    )


def _asks_for(item: pytest.Item, fixture: str) -> bool:
    return fixture in getattr(item, "fixturenames", ())


def writes_docs() -> bool:
    """Whether this run should rewrite generated pages instead of checking them."""
    return os.environ.get("METERHOUSE_WRITE_DOCS") == "1"
