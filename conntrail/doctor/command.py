"""``conntrail doctor``: what Conntrail needs here, whether it is there, what is lost without, and what to do."""

import json
import sys
from enum import StrEnum
from typing import Annotated, Final, Literal

import msgspec
import typer

from conntrail.doctor.choice import ROLE_NAMES, choose_areas, role_of
from conntrail.doctor.finding import AREAS, Finding, is_missing
from conntrail.doctor.main import Doctor
from conntrail.doctor.reader import read_surroundings
from conntrail.writer import print_table
from runtime.reader import read_settings
from runtime.settings import Settings

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
_STYLES: Final = {"ok": "green", "degraded": "yellow", "missing": "bold red", "skipped": "dim"}


class Place(StrEnum):
    """Areas, as a terminal completes them."""

    NODE = "node"
    CLUSTER = "cluster"
    KAFKA = "kafka"
    ELASTICSEARCH = "elasticsearch"
    REGISTRY = "registry"


@app.command(
    epilog="Examples: conntrail doctor   ·   conntrail doctor node   ·   conntrail doctor --role worker   ·   "
    "conntrail doctor kafka elasticsearch -o json"
)
def doctor(
    areas: Annotated[
        list[Place] | None,
        typer.Argument(
            help=f"What to look at: {', '.join(AREAS)}. Default: what is found here, or what the role uses."
        ),
    ] = None,
    role: Annotated[
        str,
        typer.Option(help=f"Ask for the rights of this role: {', '.join(ROLE_NAMES)}.", metavar="ROLE"),
    ] = "",
    kubeconfig: Annotated[str, typer.Option(help="Kubeconfig; default: in-cluster, else the usual place.")] = "",
    account: Annotated[
        str,
        typer.Option(
            "--service-account",
            metavar="NAMESPACE/NAME",
            help="Ask for the rights of this service account of the cluster, rather than for our own.",
        ),
    ] = "",
    netns: Annotated[str, typer.Option(help="Network namespace to take as the node's, by path.")] = "",
    output: Annotated[
        Literal["table", "wide", "json", "jsonl"], typer.Option("--output", "-o", help="How to print it.")
    ] = "table",
) -> None:
    """Look at all that Conntrail needs: each thing is ok, degraded (what is lost) or missing (what to do).

    Nothing is changed, and a running agent is not disturbed. Exit status 1 when anything is missing, else 0.
    """
    chosen = role_of(role)
    if role and chosen is None:
        raise typer.BadParameter(f"no role {role}: it is one of {', '.join(ROLE_NAMES)}", param_hint="--role")
    settings = _replaced(read_settings(), kubeconfig, netns)
    whole = Doctor(settings, chosen, account)
    found = [
        finding
        for area in choose_areas(areas or (), chosen, read_surroundings(settings))
        for finding in whole.look_at(area)
    ]
    _print(found, output)
    sys.exit(1 if is_missing(found) else 0)


def _replaced(settings: Settings, kubeconfig: str, netns: str) -> Settings:
    """With what options say."""
    replace = msgspec.structs.replace
    cluster = replace(settings.cluster_agent, kubeconfig=kubeconfig or settings.cluster_agent.kubeconfig)
    return replace(settings, cluster_agent=cluster, agent=replace(settings.agent, netns=netns or settings.agent.netns))


def _print(found: list[Finding], output: str) -> None:
    if output == "json":
        typer.echo(json.dumps([finding.document() for finding in found], ensure_ascii=False, indent=2))
    elif output == "jsonl":
        for finding in found:
            typer.echo(json.dumps(finding.document(), ensure_ascii=False))
    else:
        print_table(("area", "check", "state", "found"), [finding.row() for finding in found], _STYLES)
