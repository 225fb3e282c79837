"""``conntrail local``: Kafka and Elasticsearch on this machine."""

import json
import shlex
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from conntrail.errors import CommandError
from conntrail.local.log.reader import follow, tail
from conntrail.local.main import Stack, StackOptions
from conntrail.local.state.state import NAMES, Name
from conntrail.local.status import COLUMNS, WIDE_COLUMNS
from conntrail.writer import print_table
from runtime.reader import read_settings

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Run a real Kafka and a real Elasticsearch on this machine, from released artifacts.",
    epilog='Example: conntrail local up && eval "$(conntrail local env)" && conntrail setup',
)
_DataDirectory = Annotated[
    Path | None,
    typer.Option("--data-dir", help="Where everything of this stack is kept; several stacks by several directories."),
]
_Port = Annotated[int | None, typer.Option(min=1, max=65535, help="Port; default: as before, else a free one.")]


@app.command(epilog="Example: conntrail local up --kafka-port 9092 --elasticsearch-port 9200")
def up(
    data_dir: _DataDirectory = None,
    kafka_port: _Port = None,
    elasticsearch_port: _Port = None,
) -> None:
    """Start both and wait until they answer; downloads what is missing first."""
    with _progress() as report:
        stack = _stack(data_dir, report)
        _fetch(stack)
        state = stack.up(kafka_port, elasticsearch_port)
    typer.echo(f"Kafka          {state.bootstrap_servers}")
    typer.echo(f"Elasticsearch  {state.hosts}")
    option = f" --data-dir {shlex.quote(str(data_dir))}" if data_dir else ""
    typer.echo(f'next: eval "$(conntrail local env{option})" && conntrail setup')


@app.command(epilog="Example: conntrail local down --wipe")
def down(
    data_dir: _DataDirectory = None,
    wipe: Annotated[bool, typer.Option("--wipe", help="Remove their data too.")] = False,
) -> None:
    """Stop both; their data stays."""
    with _progress() as report:
        stack = _stack(data_dir, report)
        if stack.state() is None:
            typer.echo(f"no stack in {stack.layout.root}", err=True)
        stack.down(wipe)


@app.command(epilog="Example: conntrail local status -o json")
def status(
    data_dir: _DataDirectory = None,
    output: Annotated[
        Literal["table", "wide", "json", "jsonl"], typer.Option("--output", "-o", help="How to print it.")
    ] = "table",
) -> None:
    """Say how both are; exit status 1 unless both answer."""
    stack = _stack(data_dir)
    stack.require_state()
    statuses = stack.status()
    if output == "json":
        typer.echo(json.dumps([service.document() for service in statuses], indent=2))
    elif output == "jsonl":
        for service in statuses:
            typer.echo(json.dumps(service.document()))
    else:
        columns = COLUMNS if output == "table" else WIDE_COLUMNS
        print_table(columns, [[service.row()[column] for column in columns] for service in statuses])
    if not all(service.is_answering for service in statuses):
        raise typer.Exit(1)


@app.command(epilog='Example: eval "$(conntrail local env)"')
def env(data_dir: _DataDirectory = None) -> None:
    """Print the exports that lead every other command to this stack."""
    for name, value in _stack(data_dir).require_state().environment().items():
        typer.echo(f"export {name}={value}")


@app.command(epilog="Example: conntrail local logs elasticsearch -f")
def logs(
    service: Annotated[Name | None, typer.Argument(help="Whose; default: both.")] = None,
    follow_on: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="How many of the last lines.")] = 50,
    data_dir: _DataDirectory = None,
) -> None:
    """Print what they logged."""
    names = [name for name in NAMES if service in (None, name)]
    stack = _stack(data_dir)
    stack.require_state()
    prefixes = {stack.layout.log(name): "" if len(names) == 1 else f"{name}: " for name in names}
    for path, prefix in prefixes.items():
        for line in tail(path, lines):
            typer.echo(prefix + line)
    if follow_on:
        for path, line in follow(list(prefixes)):
            typer.echo(prefixes[path] + line)


@app.command(epilog="Example: conntrail local fetch")
def fetch() -> None:
    """Download and verify what the stack runs, so that a later up needs no network."""
    _fetch(_stack(None))


@app.command(hidden=True)
def lock() -> None:
    """Renew the lock file from the repository, for a new version of Kafka or Elasticsearch."""
    path = Path(str(files("conntrail.local").joinpath("artifacts.lock")))
    path.write_text(_stack(None).renewed_lock(), encoding="utf-8")
    typer.echo(f"wrote {path}")


def _stack(data_dir: Path | None, report: Any = None) -> Stack:
    settings = read_settings().local
    directory = data_dir or (Path(settings.data_directory) if settings.data_directory else None)
    options = StackOptions(data_directory=directory, repository=settings.repository)
    return Stack(options) if report is None else Stack(options, report)


def _fetch(stack: Stack) -> None:
    """With a bar when there is anything to fetch."""
    total = stack.missing_bytes()
    if not total:
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("fetching Kafka and Elasticsearch", total=total)
        stack.fetch(lambda count: progress.advance(task, count))


@contextmanager
def _progress() -> Iterator[Any]:
    """A spinner on a terminal, one line a step elsewhere; Ctrl-C and SIGTERM are ordinary ends."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    console = Console(stderr=True)
    said: set[str] = set()

    def report(text: str) -> None:
        if console.is_terminal:
            console.print(f"{text} …", end="\r", soft_wrap=True, highlight=False)
        elif text not in said:
            said.add(text)
            console.print(text, highlight=False)

    try:
        yield report
    except KeyboardInterrupt:
        raise CommandError("interrupted; what was started is stopped again") from None
    finally:
        if console.is_terminal:
            sys.stderr.write("\r\x1b[2K")
