"""Writes the generated pages of `docs/`: run by `make docs`, checked by the tests."""

from __future__ import annotations

from pathlib import Path

from meterhouse.settings import PREFIX, Settings

DOCS = Path(__file__).parents[1] / "docs"


def settings_page() -> str:
    """Every setting with its default, from the settings class itself."""
    lines = [
        "# Settings",
        "",
        "Environment variables, or the same names in lower case and without the prefix in a TOML file",
        f"named by `{PREFIX}CONFIG`. The environment wins over the file; `--data` wins over both.",
        "",
        "| variable | default | what it does |",
        "| --- | --- | --- |",
    ]
    for name, field in Settings.model_fields.items():
        default = (
            "the user's data folder"
            if name == "data_dir"
            else (field.default if field.default != "" else "unset")
        )
        lines.append(f"| `{PREFIX}{name.upper()}` | {default} | {field.description} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    (DOCS / "settings.md").write_text(settings_page())


if __name__ == "__main__":
    main()
