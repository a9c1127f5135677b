"""`meterhouse extract` as people call it."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from meterhouse.cli.main import app
from meterhouse.extraction.model import Strategy
from tests.unit.extraction import pages

URL = "https://shop.example/lamps/"
REQUEST = "All lamps: name, link and price"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    path = tmp_path / "shop.html"
    path.write_text(pages.shop(), encoding="utf-8")
    return path


def call(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["extract", *map(str, arguments)])
    return result.exit_code, result.stdout, result.stderr


def test_a_saved_page_and_a_sentence(shop: Path) -> None:
    code, out, _ = call(shop, REQUEST, "--url", URL)
    assert code == 0
    assert json.loads(out)[0] == {
        "name": "Brass reading lamp",
        "link": "https://shop.example/lamp/brass-reading-lamp",
        "price": "€ 49,90",
    }


def test_a_kept_strategy_runs_on_other_pages(shop: Path, tmp_path: Path) -> None:
    kept = tmp_path / "lamps.json"
    assert call(shop, REQUEST, "--url", URL, "--save", kept)[0] == 0
    assert Strategy.from_document(json.loads(kept.read_text())).contract.records == len(pages.LAMPS)
    code, out, _ = call("--strategy", kept, shop, shop, "--url", URL, "--csv")
    rows = list(csv.reader(io.StringIO(out)))
    assert code == 0
    assert rows[0] == ["name", "link", "price"]
    assert len(rows) == 1 + 2 * len(pages.LAMPS)


def test_a_table_for_people(shop: Path) -> None:
    code, out, _ = call(shop, "All lamps: name and price", "--table")
    assert code == 0
    assert "Brass" in out
    assert "5 items" in out


def test_an_output_schema_from_a_file(shop: Path, tmp_path: Path) -> None:
    schema = tmp_path / "schema.json"
    schema.write_text('{"name": "string", "price": "number"}')
    code, out, _ = call(shop, "All lamps", "--schema", schema)
    assert code == 0
    assert json.loads(out)[0]["price"] == 49.9


def test_cases_are_answered_one_file_each(tmp_path: Path) -> None:
    for name, build, request in (("a", pages.shop, REQUEST), ("b", lambda: "<p>x</p>", "All prices")):
        folder = tmp_path / "cases" / name
        folder.mkdir(parents=True)
        (folder / "page.html").write_text(build(), encoding="utf-8")
        (folder / "case.json").write_text(json.dumps({"id": name, "url": URL, "description": request}))
    code, out, err = call("--cases", tmp_path / "cases", "--out", tmp_path / "out")
    assert code == 1
    assert "1 of 2" in out
    assert "b: nothing_found" in err
    assert len(json.loads((tmp_path / "out" / "a.json").read_text())) == len(pages.LAMPS)
    assert json.loads((tmp_path / "out" / "b.json").read_text()) == []


def test_formulas_in_pages_stay_text_in_spreadsheets(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(pages.shop().replace("Paper moon lantern", '=HYPERLINK("http://evil.example")'))
    _, out, _ = call(page, "All lamps: name and price", "--csv")
    cells = [row[0] for row in csv.reader(io.StringIO(out))]
    assert any(cell.startswith("'=HYPERLINK") for cell in cells)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["no-such-file.html", "All lamps"],
        ["{shop}"],
        ["{shop}", "  "],
        ["{shop}", REQUEST, "--json", "--csv"],
        ["--strategy", "no-such-file.json", "{shop}"],
        ["--strategy", "{shop}", "{shop}"],
        ["--cases", "no-such-folder", "--out", "x"],
        ["{shop}", REQUEST, "--url", "ftp://x"],
    ],
)
def test_a_wrong_call_ends_with_two(arguments: list[str], shop: Path) -> None:
    code, _, err = call(*(one.replace("{shop}", str(shop)) for one in arguments))
    assert code == 2
    assert err


def test_a_page_without_an_answer_ends_with_one_and_its_reason(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("<p>Only a line.</p>")
    code, out, err = call(page, "All lamps: name and price")
    assert code == 1
    assert out == ""
    assert "nothing_found" in err


def test_it_starts_without_the_server() -> None:
    probe = (
        "import sys; import meterhouse.cli.main, meterhouse.cli.extract; "
        "print([m for m in ('sqlalchemy', 'chdb', 'starlette', 'httpx') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
