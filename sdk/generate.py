"""Writes the generated half of the client. Run it after changing `_async`, a contract or `generator/names.json`.

    python sdk/generate.py            rewrite
    python sdk/generate.py --check    say which files are not current, and fail

From the contracts come the types (`types/`) and the namespaces (`_async/namespaces/`); from everything in `_async`
comes `_sync`. A test runs the check.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
PACKAGE = HERE / "src" / "meter_sdk"
CONTRACTS = HERE.parent / "src" / "meterhouse" / "apis"
BY_HAND = {"__init__.py", "concurrency.py"}

sys.path.insert(0, str(HERE))

from generator import namespaces, schemas, unasync  # noqa: E402
from generator.contracts import Contract  # noqa: E402


def generated() -> dict[Path, str]:
    """Every generated file with its text, in the house format."""
    contracts = {name: Contract.load(CONTRACTS, name) for name in ("meter", "openmeter", "polar")}
    files = {PACKAGE / "types" / f"{name}.py": schemas.module(contract) for name, contract in contracts.items()}
    target = PACKAGE / "_async" / "namespaces"
    for name, text in namespaces.modules(contracts["openmeter"], contracts["polar"]).items():
        files[target / name] = text
    asynchronous = {path: formatted(text, path) for path, text in files.items()}
    sources = {
        path: path.read_text(encoding="utf-8") for path in (PACKAGE / "_async").glob("*.py") if path.name not in BY_HAND
    }
    sources.update({path: text for path, text in asynchronous.items() if target in path.parents})
    synchronous = {
        PACKAGE / "_sync" / path.relative_to(PACKAGE / "_async"): unasync.synchronous(text)
        for path, text in sources.items()
    }
    return {**asynchronous, **{path: formatted(text, path) for path, text in synchronous.items()}}


def formatted(text: str, path: Path) -> str:
    """The text as the formatter leaves it, imports sorted."""
    options = ["--stdin-filename", str(path), "--quiet"]
    config = ["--config", str(HERE / "pyproject.toml")]
    for command in (["check", "--select", "I", "--fix-only"], ["format"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, *config, *options, "-"],
            input=text,
            capture_output=True,
            text=True,
            check=True,
        )
        text = done.stdout
    return text


def stale(files: dict[Path, str]) -> list[Path]:
    """Files that are missing, differ, or should no longer be there."""
    differing = [path for path, text in files.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    there = {*(PACKAGE / "_sync").rglob("*.py"), *(PACKAGE / "_async" / "namespaces").rglob("*.py")}
    extra = {path for path in there if path.name not in BY_HAND or path.parent.name == "namespaces"} - set(files)
    return sorted([*differing, *extra])


def main() -> int:
    files = generated()
    outdated = stale(files)
    if "--check" in sys.argv:
        for path in outdated:
            print(f"{path.relative_to(HERE)} is not current: run sdk/generate.py")
        return 1 if outdated else 0
    for path in outdated:
        if path in files:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(files[path], encoding="utf-8")
        else:
            path.unlink()
        print(path.relative_to(HERE))
    return 0


if __name__ == "__main__":
    sys.exit(main())
