"""``conntrail demo``: the whole system on real traffic."""

import os
import signal
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from conntrail.errors import CommandError

if TYPE_CHECKING:
    from conntrail.demo.edge import Comparison

_AGAIN_SECONDS: Final = 8.0
"""Long enough for every client to call each of its targets."""
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(epilog="Example: conntrail demo --duration 30 --keep")
def demo(
    duration: Annotated[float, typer.Option(min=5, help="Seconds of traffic.")] = 45,
    keep: Annotated[bool, typer.Option("--keep", help="Leave everything running until Ctrl-C.")] = False,
) -> None:
    """Start Kafka, Elasticsearch, a lab cluster, agents and a worker; run real traffic; show what was found.

    Needs root for the lab's network namespaces. Takes everything down again at the end.
    """
    from conntrail.demo.alert import ALERT_COLUMNS, ALERTS_TITLE, alert_rows  # noqa: PLC0415 - keeps --help fast
    from conntrail.demo.main import enforce_recommended, running, show_traffic  # noqa: PLC0415

    if os.geteuid() != 0:
        raise CommandError("the demo builds network namespaces: run it as root, for example by sudo make demo")
    began, said = time.monotonic(), ""

    def progress(text: str) -> None:
        nonlocal said
        if text != said:
            typer.echo(f"[{time.monotonic() - began:5.1f} s] {text}", err=True)
        said = text

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="conntrail-demo-", ignore_cleanup_errors=True) as name:
        directory = Path(name)
        directory.chmod(0o755)  # Elasticsearch runs as another user and must pass through
        try:
            with running(directory, progress) as everything:
                show_traffic(everything, duration, progress)
                for found in everything.find():
                    if found.rows or not found.question.is_optional:
                        _print_table(found.question.title, found.question.columns, found.rows, len(found.question.keys))
                _print_table(ALERTS_TITLE, ALERT_COLUMNS, alert_rows(everything.alerts()), len(ALERT_COLUMNS))
                _print_comparison(enforce_recommended(everything, max(duration / 2, _AGAIN_SECONDS), progress))
                _print_next(everything.environment(), keep, directory)
                if keep:
                    threading.Event().wait()
                progress("taking everything down")
        except KeyboardInterrupt:
            progress("stopped; everything is taken down")
    progress("done")


def _print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], texts: int) -> None:
    """``texts``: so many columns from the left are no figures."""
    from rich.console import Console  # noqa: PLC0415 - keeps --help fast
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(title=title, title_justify="left", title_style="bold", box=None)
    for number, column in enumerate(columns):
        table.add_column(column.upper(), justify="left" if number < texts else "right", overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    console = Console(width=150)
    console.print()
    console.print(table if rows else Text(f"{title}: nothing"))


def _print_comparison(found: "Comparison") -> None:
    typer.echo("\nThe recommended policies, enforced while the same traffic ran again")
    typer.echo(f"  {found.still} of {found.before} edges that were answered before are answered")
    for edge in found.closed:
        typer.echo(f"  no more: {edge}")


def _print_next(environment: dict[str, str], keep: bool, directory: Path) -> None:
    typer.echo("\nWhere to look next" + ("" if keep else " (with KEEP=1, which leaves all this running)"))
    for name, value in environment.items():
        typer.echo(f"  export {name}={value}")
    typer.echo("  conntrail observe --verdict denied -o wide")
    typer.echo("  conntrail observe --follow --namespace shop")
    typer.echo("  conntrail observe --type dns --type l7 --workload shop/frontend")
    typer.echo("  conntrail alerts list --all · conntrail observe --type audit --type event")
    typer.echo("  conntrail policy hits · unused · gaps · explain shop/frontend data/postgres:5432")
    typer.echo(f"  conntrail policy recommend (the enforced ones: {directory}/recommended.yaml)")
    typer.echo("  curl $CONNTRAIL_ELASTICSEARCH__HOSTS/logs-conntrail.flow-*/_search?q=event.action:denied")
    typer.echo(f"  logs of every process: {directory}")
