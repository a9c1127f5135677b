"""What is public is documented, and these tests say so."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from meterhouse.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]


def test_the_settings_page_is_current():
    from tests.generate_docs import settings_page

    assert (ROOT / "docs" / "settings.md").read_text() == settings_page(), "run `make docs`"


def test_every_setting_has_a_description():
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
    assert PREFIX == "METERHOUSE_"


def test_every_dependency_has_a_reason():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    page = (ROOT / "docs" / "dependencies.md").read_text()
    named = {re.split(r"[\[<>=~ ]", line)[0] for line in project["project"]["dependencies"]}
    named |= {
        re.split(r"[\[<>=~ ]", line)[0]
        for file in ("dev.in", "build.in")
        for line in (ROOT / "requirements" / file).read_text().splitlines()
        if line and not line.startswith(("#", "-"))
    }
    assert sorted(name for name in named if not re.search(rf"\b{re.escape(name)}\b", page)) == []


def test_lock_files_carry_hashes_and_no_addresses():
    for lock in (ROOT / "requirements").glob("*.txt"):
        text = lock.read_text()
        assert "--hash=sha256:" in text
        assert "://" not in text, lock.name


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text().split()) < 400
