"""`meterhouse`: the commands and their options. What a command does lives beside this module."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from meterhouse import __version__
from meterhouse.kernel.errors import Conflict, DependencyFailed, Invalid, MeterhouseError, NotFound

EXIT_CODES: tuple[tuple[type[MeterhouseError], int], ...] = (
    (NotFound, 3),
    (Conflict, 4),
    (DependencyFailed, 6),
    (Invalid, 2),
)

app = typer.Typer(
    name="meterhouse",
    help="Collect, meter and bill: one self-hosted server for people who sell data and AI products.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
)
keys = typer.Typer(help="Make, list, rotate and revoke API keys.", no_args_is_help=True)
app.add_typer(keys, name="keys")
events = typer.Typer(
    help="Export and import usage events as CSV, JSON lines or Parquet.", no_args_is_help=True
)
app.add_typer(events, name="events")

Host = Annotated[str, typer.Option(help="Address to listen on.")]
Port = Annotated[int, typer.Option(help="Port to listen on.", min=0, max=65535)]
Data = Annotated[Path | None, typer.Option(help="Data folder (METERHOUSE_DATA_DIR).", show_default=False)]
Address = Annotated[str, typer.Option("--url", help="Address of the server.", envvar="METERHOUSE_URL")]
Key = Annotated[str, typer.Option(help="API key.", envvar="METERHOUSE_API_KEY", show_default=False)]
FileFormat = Annotated[
    str,
    typer.Option("--format", help="csv, jsonl or parquet; by the file's name without.", show_default=False),
]
File = Annotated[Path, typer.Argument(help="The file; - for the standard stream.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]


def main() -> None:
    """Run a command. A known error ends as one sentence on stderr and a documented exit code."""
    try:
        app()
    except MeterhouseError as error:
        print(f"meterhouse: {error.message}", file=sys.stderr)
        sys.exit(next((code for kind, code in EXIT_CODES if isinstance(error, kind)), 1))
    except KeyboardInterrupt:
        sys.exit(130)


@app.command()
def version() -> None:
    """Print the version."""
    print(__version__)


@app.command()
def up(
    host: Host = "127.0.0.1",
    port: Port = 8000,
    data: Data = None,
    tour: Annotated[
        bool, typer.Option("--tour", help="Walk through a first result, then keep serving.")
    ] = False,
    tour_url: Annotated[str, typer.Option(help="Page for the tour; the bundled shop without.")] = "",
    tour_ask: Annotated[str, typer.Option(help="What to extract on the tour, in plain words.")] = "",
) -> None:
    """Start everything in one process: API, worker and, unless set otherwise, both engines."""
    from meterhouse.settings import load_settings

    settings = load_settings(data_dir=data)
    import uvloop

    from meterhouse.cli import server

    walk = server.Tour(url=tour_url, ask=tour_ask) if tour or tour_url else None
    uvloop.run(server.serve(settings, host=host, port=port, worker=True, tour=walk))


@app.command()
def serve(host: Host = "127.0.0.1", port: Port = 8000) -> None:
    """Start only the API, on engines given by address."""
    from meterhouse.settings import load_settings

    settings = load_settings()
    import uvloop

    from meterhouse.cli import server

    uvloop.run(server.serve(settings, host=host, port=port, worker=False, tour=None))


@app.command()
def worker() -> None:
    """Start only a worker, on engines given by address. Any number may run."""
    from meterhouse.settings import load_settings

    settings = load_settings()
    import uvloop

    from meterhouse.cli import server

    uvloop.run(server.work(settings))


@app.command()
def extract(
    arguments: Annotated[
        list[str] | None,
        typer.Argument(
            metavar='PAGE "REQUEST"',
            help="A page (an address or a saved file) and, in plain words, what to extract. "
            "With --strategy: pages only.",
            show_default=False,
        ),
    ] = None,
    strategy: Annotated[
        Path | None, typer.Option(help="Run this strategy file instead of making one.", show_default=False)
    ] = None,
    url: Annotated[str, typer.Option(help="Where a saved page was; links are resolved against it.")] = "",
    schema: Annotated[
        Path | None, typer.Option(help="File with the output schema of one item.", show_default=False)
    ] = None,
    save: Annotated[
        Path | None, typer.Option(help="Keep the strategy, made or repaired, here.", show_default=False)
    ] = None,
    cases: Annotated[
        Path | None, typer.Option(help="Folder of cases: case.json beside page.html.", show_default=False)
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the cases' items.", show_default=False)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON (the default).")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    as_table: Annotated[bool, typer.Option("--table", help="Print a table.")] = False,
) -> None:
    """Extract items from a page, with no server running."""
    import os

    from meterhouse.cli import extract as command

    if as_json + as_csv + as_table > 1:
        raise typer.BadParameter("choose one of --json, --csv and --table")
    asked = command.Asked(
        arguments=arguments or [],
        url=url,
        strategy=strategy,
        save=save,
        schema=schema,
        cases=cases,
        out=out,
        format="csv" if as_csv else "table" if as_table else "json",
        fetch_allow=os.environ.get("METERHOUSE_FETCH_ALLOW", ""),
        browser=os.environ.get("METERHOUSE_BROWSER", ""),
    )
    raise typer.Exit(command.extract(asked))


@keys.command("create")
def create_key(
    name: Annotated[str, typer.Option(help="What the key is for.")] = "command line",
    scope: Annotated[list[str] | None, typer.Option(help="Repeatable; * for all.", show_default="*")] = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Make a key and print it: the only time it is shown in full."""
    from meterhouse.cli import keys as commands
    from meterhouse.settings import load_settings

    asyncio.run(
        commands.create(load_settings(data_dir=data), name=name, scopes=scope or ["*"], as_json=as_json)
    )


@keys.command("list")
def list_keys(data: Data = None, as_json: AsJson = False) -> None:
    """List all keys, newest first."""
    from meterhouse.cli import keys as commands
    from meterhouse.settings import load_settings

    asyncio.run(commands.show(load_settings(data_dir=data), as_json=as_json))


@keys.command("rotate")
def rotate_key(
    key: Annotated[str, typer.Argument(help="Id or shown prefix.")],
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Make a successor; the old key works for another 24 hours."""
    from meterhouse.cli import keys as commands
    from meterhouse.settings import load_settings

    asyncio.run(commands.rotate(load_settings(data_dir=data), key=key, as_json=as_json))


@keys.command("revoke")
def revoke_key(
    key: Annotated[str, typer.Argument(help="Id or shown prefix.")],
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """End a key at once, everywhere."""
    from meterhouse.cli import keys as commands
    from meterhouse.settings import load_settings

    asyncio.run(commands.revoke(load_settings(data_dir=data), key=key, as_json=as_json))


@events.command("export")
def export_events(
    file: File,
    url: Address = "http://127.0.0.1:8000",
    key: Key = "",
    format: FileFormat = "",
    filter: Annotated[
        str, typer.Option(help='Which events, as JSON: {"type": {"$eq": "prompt"}}.', show_default="all")
    ] = "",
) -> None:
    """Write events to a file, with everything that is known of them."""
    from meterhouse.cli import events as commands

    commands.export_events(commands.Server(url, key), file, format=format, filter=filter)


@events.command("import")
def import_events(
    file: File,
    url: Address = "http://127.0.0.1:8000",
    key: Key = "",
    format: FileFormat = "",
) -> None:
    """Store the events of a file. What the server knows already does not count twice."""
    from meterhouse.cli import events as commands

    commands.import_events(commands.Server(url, key), file, format=format)
