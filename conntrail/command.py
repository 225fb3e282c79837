"""The root command: one line a subcommand, each loaded when it is called.

So --help and completion are fast, and work where the extra that a subcommand needs is not installed.
"""

from importlib import import_module
from importlib.metadata import version
from typing import Annotated, Any

import typer
from typer.completion import get_completion_inspect_parameters
from typer.core import TyperCommand, TyperGroup

_COMMANDS = {
    "agent": ("conntrail.process.command:agent", "Run the node agent: the kernel's connections to Kafka."),
    "cluster-agent": (
        "conntrail.process.command:cluster_agent",
        "Run the cluster agent: Kubernetes objects to Kafka.",
    ),
    "worker": ("conntrail.process.command:worker", "Run stream processors: flows named, judged, indexed."),
    "setup": ("conntrail.setup.command:app", "Create topics and index templates."),
    "observe": ("conntrail.observe.command:app", "Show flows, live or from the past."),
    "alerts": ("conntrail.alerts.command:app", "See alerts, follow them, and silence what is known."),
    "policy": ("conntrail.policy.command:app", "Ask what network policies say."),
    "report": ("conntrail.report.command:app", "Make evidence for auditors, and check it."),
    "doctor": ("conntrail.doctor.command:app", "Look at what Conntrail needs here, and say what to do."),
    "local": ("conntrail.local.command:app", "Run Kafka and Elasticsearch on this machine."),
    "lab": ("conntrail.lab.command:app", "Build a cluster of network namespaces from Kubernetes YAML."),
    "demo": ("conntrail.demo.command:app", "Show the whole system on real traffic."),
    "completion": ("conntrail.completion.command:app", "Print the script that completes commands in a shell."),
}


_NAMES_OF_HELP = {"help_option_names": ["-h", "--help"]}


class _LazyGroup(TyperGroup):
    """Knows its subcommands by name and summary, and imports one's module only when it is called."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        get_completion_inspect_parameters()  # makes typer's shells known, which `conntrail completion` needs
        for name, (_, summary) in _COMMANDS.items():
            self.add_command(TyperCommand(name, help=summary))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, command, rest = super().resolve_command(ctx, args)
        return name, command if name is None else _loaded(name), rest


def _loaded(name: str) -> Any:
    from runtime.settings import LogSettings  # noqa: PLC0415 - keeps --help fast
    from runtime.writer import configure_logs  # noqa: PLC0415

    # Nothing may get among the data on standard output, and a failure is told in one line.
    configure_logs(LogSettings(level="error"))
    module, _, attribute = _COMMANDS[name][0].partition(":")
    command = typer.main.get_command(getattr(import_module(module), attribute))
    command.name = name
    return command


app = typer.Typer(
    name="conntrail",
    cls=_LazyGroup,
    add_completion=False,
    context_settings=_NAMES_OF_HELP,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Kubernetes network observability: what talks to what, which policy allowed or denied it, and why.",
    epilog="Example: conntrail demo   ·   conntrail observe --follow --verdict denied",
)


def _print_version(value: bool) -> None:
    if value:
        typer.echo(f"conntrail {version('conntrail')}")
        raise typer.Exit


@app.callback()
def root(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Options of the root command."""
