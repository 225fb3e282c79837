"""Starts the long-running processes, each in a fresh interpreter, so that a running agent carries no terminal code."""

import os
import sys
from enum import StrEnum
from importlib.util import find_spec
from typing import Annotated, Final

import typer

agent = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
cluster_agent = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
worker = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

_NEEDS: Final = {"agents.cluster": ("urllib3", "yaml"), "streams": ("faust", "polars", "elasticsearch", "cramjam")}
"""Packages of the extras; asked for here, since the new interpreter could only say it by a traceback."""
_Check = Annotated[bool, typer.Option("--check", help="Try the settings, start nothing: exit 0 when they will do.")]


class Stage(StrEnum):
    """Stages of a worker, as streams.main has them, which a terminal does not load."""

    FLOWS = "flows"
    EXCHANGES = "exchanges"
    DENIALS = "denials"
    ALERTS = "alerts"
    INDEX = "index"
    SUBSCRIPTIONS = "subscriptions"
    DELIVERIES = "deliveries"


@agent.command(epilog="Example: conntrail agent --node node1 --netns /run/netns/node1 --interval 5s")
def run_agent(
    node: Annotated[str, typer.Option(help="The Kubernetes node's name; default: the host name.")] = "",
    netns: Annotated[str, typer.Option(help="Network namespace to take as the node's, by path.")] = "",
    interval: Annotated[str, typer.Option(help="Reporting period, for example 10s.")] = "",
    check: _Check = False,
) -> None:
    """Read this node's connections, denied attempts and sockets, and publish them to Kafka.

    Needs CAP_NET_ADMIN; with less it reports what it cannot see, as conntrail doctor node does.
    """
    options = {"AGENT__NODE": node, "AGENT__NETNS": netns, "AGENT__INTERVAL": interval}
    _replace_process("agents.node", options, ["--check"] if check else [])


@cluster_agent.command(epilog="Example: conntrail cluster-agent --manifests ./manifests")
def run_cluster_agent(
    manifests: Annotated[str, typer.Option(help="Directory of YAML instead of an API server, watched.")] = "",
    kubeconfig: Annotated[str, typer.Option(help="Kubeconfig; default: in-cluster, else the usual place.")] = "",
    audit_log: Annotated[str, typer.Option(help="The API server's audit log, followed: it says who did what.")] = "",
    check: _Check = False,
) -> None:
    """Watch Kubernetes objects and publish them, slim, to Kafka, with events, changes and who made them."""
    options = {
        "CLUSTER_AGENT__MANIFESTS": manifests,
        "CLUSTER_AGENT__KUBECONFIG": kubeconfig,
        "AUDIT__FILE": audit_log,
    }
    _replace_process("agents.cluster", options, ["--check"] if check else [])


@worker.command(epilog="Example: conntrail worker flows index --id worker-2")
def run_worker(
    stages: Annotated[list[Stage] | None, typer.Argument(help="Which stages; default: all.")] = None,
    identity: Annotated[str, typer.Option("--id", help="Static member; default: the host name.")] = "",
    check: _Check = False,
) -> None:
    """Name flows and exchanges, match both ends, judge policies, aggregate windows and index the results."""
    arguments = [*(stages or []), *(["--check"] if check else [])]
    _replace_process("streams", {"WORKER__ID": identity}, arguments)


def _replace_process(module: str, options: dict[str, str], arguments: list[str]) -> None:
    """Become ``python -m module``; options become settings, which the environment carries.

    Raises ModuleNotFoundError when the extra that the module needs is not installed.
    """
    for name, value in options.items():
        if value:
            os.environ[f"CONNTRAIL_{name}"] = value
    for package in _NEEDS.get(module, ()):
        if find_spec(package) is None:
            raise ModuleNotFoundError(name=package)
    os.execv(sys.executable, [sys.executable, "-m", module, *arguments])  # noqa: S606 - our own interpreter
