"""``conntrail setup``: topics, schemas, index templates and Kibana's objects."""

import json
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import typer

from conntrail.setup.access.main import Request, set_up_access
from conntrail.setup.change import COLUMNS, Change
from conntrail.setup.kibana.reader import read_source
from conntrail.setup.kibana.writer import write_kibana
from conntrail.setup.main import set_up, set_up_kibana
from conntrail.setup.strimzi.writer import write_strimzi
from conntrail.setup.template.plan import wanted_objects
from conntrail.setup.template.writer import write_files
from conntrail.writer import print_table
from runtime.reader import read_settings
from runtime.settings import Settings, load_settings
from streams.index.template import ClusterFeatures

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(
    epilog="Examples: conntrail setup --dry-run; conntrail setup --kibana https://kibana.example:5601 --space network"
)
def setup(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, change nothing.")] = False,
    output: Annotated[
        Literal["table", "wide", "json", "jsonl"], typer.Option("--output", "-o", help="How to print it.")
    ] = "table",
    write_templates: Annotated[
        Path | None,
        typer.Option(help="Instead: write the Elasticsearch objects into this directory, for other tools to apply."),
    ] = None,
    write_kibana_files: Annotated[
        Path | None,
        typer.Option("--write-kibana", help="Instead: write Kibana's objects and example rules into this directory."),
    ] = None,
    kibana: Annotated[
        str, typer.Option(metavar="URL", help="Instead: import data views, searches and dashboards into this Kibana.")
    ] = "",
    space: Annotated[str, typer.Option(help="Into this space of Kibana, by its identifier.")] = "",
    access: Annotated[
        bool,
        typer.Option("--access", help="Too: Kafka's access control lists and Elasticsearch's roles, a role each."),
    ] = False,
    secrets: Annotated[
        Path | None,
        typer.Option(
            metavar="DIRECTORY",
            help="With --access: make API keys, and keep each secret there in a file that you alone may read.",
        ),
    ] = None,
    users: Annotated[
        bool, typer.Option("--users", help="With --secrets: make Kafka users too, with SCRAM passwords.")
    ] = False,
    elasticsearch_only: Annotated[
        bool,
        typer.Option(
            "--elasticsearch-only",
            help="With --access: roles and keys of Elasticsearch, and nothing else; Kafka is not asked.",
        ),
    ] = False,
    write_strimzi_files: Annotated[
        Path | None,
        typer.Option("--write-strimzi", help="Instead: write KafkaTopic and KafkaUser manifests into this directory."),
    ] = None,
) -> None:
    """Create topics and index templates, register schemas; what is there is kept, and what differs is reported.

    Partitions are added when the setting asks for more, never removed. Run it again after every upgrade.

    Kibana's objects are imported too where CONNTRAIL_KIBANA__URL is set: those with ids of ours (conntrail-…) are
    overwritten, all others are left alone. CONNTRAIL_KIBANA__API_KEY, or __USERNAME and __PASSWORD, prove who we are.

    --access gives the users CONNTRAIL_ACCESS__USER their roles. It needs a super user of Kafka and a user of
    Elasticsearch with manage_security; what is there is kept, and a secret is made once. With --elasticsearch-only
    neither Kafka nor topics and templates matter: for keys that must be there before anything runs.
    """
    if write_templates is not None:
        write_files(write_templates, wanted_objects(ClusterFeatures(has_logsdb=True, has_lifecycle=True)))
        return
    if write_kibana_files is not None:
        write_kibana(write_kibana_files, read_source())
        return
    settings = read_settings()
    if write_strimzi_files is not None:
        write_strimzi(write_strimzi_files, settings)
        return
    request = Request(secrets, has_users=users, has_kafka=not elasticsearch_only, is_dry=dry_run)
    _check(request, has_access=access)
    if space:
        settings = _replaced(settings, space=space)
    if kibana:
        _print(set_up_kibana(_replaced(settings, url=kibana).kibana, is_dry=dry_run), output)
        return
    changes = [] if elasticsearch_only else set_up(settings, is_dry=dry_run)
    if access:
        changes += set_up_access(settings, request)
    _print(changes, output)


def _check(request: Request, *, has_access: bool) -> None:
    """Raise BadParameter for options that lack another or that contradict each other."""
    if (request.directory is not None and not has_access) or (request.has_users and request.directory is None):
        raise typer.BadParameter("--secrets goes with --access, and --users with --secrets")
    if not request.has_kafka and (request.has_users or not has_access):
        raise typer.BadParameter("--elasticsearch-only goes with --access, and without --users")


def _replaced(settings: Settings, **values: str) -> Settings:
    """With other values for Kibana. Raises SettingsError when one is not of its form."""
    known = msgspec.to_builtins(settings.kibana) | values
    return msgspec.structs.replace(settings, kibana=load_settings({}, {"kibana": known}).kibana)


def _print(changes: list[Change], output: str) -> None:
    if output == "json":
        typer.echo(json.dumps([change.document() for change in changes], indent=2))
        return
    if output == "jsonl":
        for change in changes:
            typer.echo(json.dumps(change.document()))
        return
    print_table(COLUMNS, [list(change.document().values()) for change in changes])
