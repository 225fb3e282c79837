"""The root command: one line a subcommand, each loaded when it is called, so that --help stays fast."""

from importlib import import_module
from importlib.metadata import version
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

_COMMANDS = {
    "agent": ("conntrail.process.command:agent", "Run the node agent: the kernel's connections to Kafka."),
    "cluster-agent": (
        "conntrail.process.command:cluster_agent",
        "Run the cluster agent: Kubernetes objects to Kafka.",
    ),
    "worker": ("conntrail.process.command:worker", "Run stream processors: flows named, judged, indexed."),
    "setup": ("conntrail.setup.command:app", "Create topics and index templates."),
    "observe": ("conntrail.observe.command:app", "Show flows, live or from the past."),
    "policy": ("conntrail.policy.command:app", "Ask what network policies say."),
    "local": ("conntrail.local.command:app", "Run Kafka and Elasticsearch on this machine."),
    "lab": ("conntrail.lab.command:app", "Build a cluster of network namespaces from Kubernetes YAML."),
    "demo": ("conntrail.demo.command:app", "Show the whole system on real traffic."),
}


class _LazyGroup(TyperGroup):
    """Imports a subcommand's module only when it is needed."""

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]  # noqa: ARG002
        return list(_COMMANDS)

    def get_command(self, ctx: typer.Context, cmd_name: str) -> Any:  # type: ignore[override]  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        target, summary = _COMMANDS[cmd_name]
        module, _, attribute = target.partition(":")
        command = typer.main.get_command(getattr(import_module(module), attribute))
        command.name = cmd_name
        command.short_help = summary
        return command


app = typer.Typer(
    name="conntrail",
    cls=_LazyGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Kubernetes network observability: what talks to what, which policy allowed or denied it, and why.",
    epilog="Start with: conntrail demo",
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
