"""``conntrail setup``: topics and index templates."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from conntrail.setup.change import COLUMNS, Change
from conntrail.setup.main import set_up
from conntrail.setup.template.plan import wanted_objects
from conntrail.setup.template.writer import write_files
from runtime.reader import read_settings
from streams.index.template import ClusterFeatures

app = typer.Typer(pretty_exceptions_enable=False)
_OUTPUTS = ("table", "wide", "json", "jsonl")
_PIPE_WIDTH = 1000


@app.command(epilog="Example: conntrail setup --dry-run")
def setup(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, change nothing.")] = False,
    output: Annotated[str, typer.Option("--output", "-o", help="table, wide, json or jsonl.")] = "table",
    write_templates: Annotated[
        Path | None,
        typer.Option(help="Instead: write the Elasticsearch objects into this directory, for other tools to apply."),
    ] = None,
) -> None:
    """Create topics and index templates; what is there is kept, and what differs is reported.

    Partitions are added when the setting asks for more, never removed. Run it again after every upgrade.
    """
    if output not in _OUTPUTS:
        raise typer.BadParameter(f"expected {', '.join(_OUTPUTS)}", param_hint="--output")
    if write_templates is not None:
        write_files(write_templates, wanted_objects(ClusterFeatures(has_logsdb=True, has_lifecycle=True)))
        return
    settings = read_settings()
    _print(set_up(settings, is_dry=dry_run), output)


def _print(changes: list[Change], output: str) -> None:
    if output == "json":
        typer.echo(json.dumps([change.document() for change in changes], indent=2))
        return
    if output == "jsonl":
        for change in changes:
            typer.echo(json.dumps(change.document()))
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in COLUMNS:
        table.add_column(column.upper(), overflow="fold")
    for change in changes:
        table.add_row(*change.document().values())
    Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH).print(table)
