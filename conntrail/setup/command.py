"""``conntrail setup``: topics and index templates."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from conntrail.setup.change import COLUMNS, Change
from conntrail.setup.template.plan import ObjectName, plan_objects, wanted_objects
from conntrail.setup.template.reader import ClusterReader
from conntrail.setup.template.writer import write_files, write_objects
from conntrail.setup.topic.plan import plan_topics
from conntrail.setup.topic.reader import read_topics
from conntrail.setup.topic.writer import write_topics
from runtime.reader import read_settings
from runtime.settings import ElasticsearchSettings, KafkaSettings
from schemas.topic import TOPICS
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
    changes = [*_set_up_kafka(settings.kafka, dry_run), *_set_up_elasticsearch(settings.elasticsearch, dry_run)]
    _print(changes, output)


def _set_up_kafka(settings: KafkaSettings, is_dry: bool) -> tuple[Change, ...]:
    names = [topic.full_name(settings.topic_prefix) for topic in TOPICS]
    existing = read_topics(settings, names)
    plan = plan_topics(TOPICS, existing, settings.topic_prefix, settings.partitions, settings.replication)
    if not is_dry:
        write_topics(settings, plan)
    return plan.changes


def _set_up_elasticsearch(settings: ElasticsearchSettings, is_dry: bool) -> list[Change]:
    if not settings.hosts:
        return [Change("skip", "index template", "all", "CONNTRAIL_ELASTICSEARCH__HOSTS is empty")]
    reader = ClusterReader(settings)
    try:
        wanted = wanted_objects(reader.features())
        changes = plan_objects(wanted, reader.objects(wanted))
    finally:
        reader.close()
    if not is_dry:
        due = {(change.kind, change.name) for change in changes if change.act in ("create", "update")}
        write_objects(settings, {name: body for name, body in wanted.items() if _key(name) in due})
    return changes


def _key(name: ObjectName) -> tuple[str, str]:
    return name.kind, name.name


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
