"""The distribution: what it needs, how it loads, and that its generated half and its docs are current."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.sdk.ours import PACKAGE, ROOT, SDK, environment, run, sdk
from tests.server import ServerProcess

PYPROJECT = tomllib.loads((SDK / "pyproject.toml").read_text())
SOURCES = sorted(PACKAGE.rglob("*.py"))
NEWER = (
    r"\bzip\(.*strict=",
    r"\b(anext|aiter)\(",
    r"dataclass\(.*slots",
    "StrEnum|ExceptionGroup|TaskGroup",
    r"datetime\.UTC|asyncio\.timeout\(",
)


def test_the_generated_files_are_current() -> None:
    done = subprocess.run(
        [sys.executable, str(SDK / "generate.py"), "--check"], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_needs_an_http_library_and_nothing_else() -> None:
    assert [re.split(r"[<>=]", line)[0] for line in PYPROJECT["project"]["dependencies"]] == ["httpx"]
    allowed = {*sys.stdlib_module_names, "httpx"}
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                names.append(node.module or "")
            assert {name.partition(".")[0] for name in names} <= allowed, path


def test_client_and_server_know_nothing_of_each_other() -> None:
    for path in [*(ROOT / "src").rglob("*.py")]:
        assert not re.search(r"^\s*(from|import) meter_sdk", path.read_text(), re.MULTILINE), path


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_it_is_written_for_python_3_9(path: Path) -> None:
    tree = ast.parse(path.read_text(), feature_version=(3, 9))
    text = path.read_text()
    if any(isinstance(node, ast.FunctionDef) for node in ast.walk(tree)):
        assert "from __future__ import annotations" in text
    assert not re.search("|".join(NEWER), text)


def test_it_is_marked_as_typed() -> None:
    assert (PACKAGE / "py.typed").exists()
    assert PYPROJECT["tool"]["mypy"]["strict"] is True


def test_the_version_has_one_home() -> None:
    assert f'VERSION = "{sdk.__version__}"' in (PACKAGE / "_config.py").read_text()
    assert f"## {sdk.__version__}" in (SDK / "CHANGELOG.md").read_text()


def test_every_exported_name_exists() -> None:
    for name in sdk.__all__:
        assert getattr(sdk, name) is not None
    assert dir(sdk) == sorted(sdk.__all__)
    with pytest.raises(AttributeError):
        _ = sdk.nothing


@pytest.mark.parametrize(
    ("statement", "modules_max"),
    [("import meter_sdk", 6), ("from meter_sdk import MeterClient, AsyncMeterClient", 40)],
)
def test_importing_it_loads_little(statement: str, modules_max: int) -> None:
    """How long it takes is told by `bench.sdk`; this is what makes it short."""
    loaded = run(f"import sys; {statement}; print(*sys.modules)").stdout.split()
    assert "httpx" not in loaded
    assert sum(name.startswith("meter_sdk") for name in loaded) <= modules_max


def test_hand_written_modules_stay_small() -> None:
    for path in SOURCES:
        if "_sync" in path.parts or "namespaces" in path.parts or "types" in path.parts:
            continue
        tree = ast.parse(path.read_text())
        assert len(path.read_text().splitlines()) <= 500, path
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                doc = ast.get_docstring(node, clean=False) or ""
                lines = (node.end_lineno or 0) - node.lineno - doc.count("\n")
                assert lines <= 70, f"{path.name}: {node.name}"


class TestEnvironment:
    def test_key_and_address(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("METER_API_KEY", "sk_live_env")
        monkeypatch.setenv("METER_BASE_URL", "http://env.test/")
        client = sdk.MeterClient()
        assert (client.api_key, client.base_url) == ("sk_live_env", "http://env.test")
        client = sdk.MeterClient("sk_live_given", "http://given.test")
        assert (client.api_key, client.base_url) == ("sk_live_given", "http://given.test")
        assert sdk.MeterClient(base_url="https://api.meter.sh").base_url == "https://api.meter.sh"

    def test_the_published_default(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("METER_BASE_URL", raising=False)
        assert sdk.MeterClient("k").base_url == "https://api.meter.sh"

    @pytest.mark.parametrize("value", [None, "", "  "])
    def test_without_a_key(self, monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
        monkeypatch.delenv("METER_API_KEY", raising=False)
        with pytest.raises(sdk.errors.AuthenticationError, match="METER_API_KEY"):
            sdk.MeterClient(value)

    @pytest.mark.parametrize("value", ["sk live", "sk\nlive", "schlüssel"])
    def test_a_key_that_is_none(self, value: str) -> None:
        with pytest.raises(sdk.errors.AuthenticationError, match="characters"):
            sdk.MeterClient(value)

    @pytest.mark.parametrize("value", ["server.test", "", "ftp://server.test"])
    def test_an_address_that_is_none(self, value: str) -> None:
        with pytest.raises(sdk.errors.SetupError, match="http://"):
            sdk.MeterClient("k", value)


class TestReadme:
    def snippets(self) -> list[str]:
        return re.findall(r"```python\n(.*?)```", (SDK / "README.md").read_text(), re.DOTALL)

    def test_its_snippets_run_in_order(self, server: ServerProcess, tmp_path: Path) -> None:
        """One program of all snippets, against the running server and the shop that comes with it."""
        program = "\n".join(self.snippets()).replace("http://127.0.0.1:8000", server.base_url)
        assert len(self.snippets()) >= 8
        (tmp_path / "readme.py").write_text(program)
        done = subprocess.run(
            [sys.executable, str(tmp_path / "readme.py")],
            env=environment(METER_API_KEY=server.api_key, METER_BASE_URL=server.base_url),
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def test_it_names_every_error_and_option(self) -> None:
        text = (SDK / "README.md").read_text()
        for name in ("CallError", "SetupError", "TemporaryError", "OutcomeError", "DeliveryError"):
            assert name in text
        for name in ("METER_API_KEY", "METER_BASE_URL", "request_timeout", "max_retries", "with_options"):
            assert name in text
