"""``conntrail setup``: topics, schemas and index templates."""

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from conntrail.setup.change import COLUMNS, Change
from conntrail.setup.main import set_up
from conntrail.setup.template.plan import wanted_objects
from conntrail.setup.template.writer import write_files
from conntrail.writer import print_table
from runtime.reader import read_settings
from streams.index.template import ClusterFeatures

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(epilog="Example: conntrail setup --dry-run")
def setup(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, change nothing.")] = False,
    output: Annotated[
        Literal["table", "wide", "json", "jsonl"], typer.Option("--output", "-o", help="How to print it.")
    ] = "table",
    write_templates: Annotated[
        Path | None,
        typer.Option(help="Instead: write the Elasticsearch objects into this directory, for other tools to apply."),
    ] = None,
) -> None:
    """Create topics and index templates, register schemas; what is there is kept, and what differs is reported.

    Partitions are added when the setting asks for more, never removed. Run it again after every upgrade.
    """
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
    print_table(COLUMNS, [list(change.document().values()) for change in changes])
