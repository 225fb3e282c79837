"""``kubectl conntrail alerts``: by the API of alerts, for which no Kafka has to be reached."""

import json
from enum import StrEnum
from typing import Annotated, Any

import typer

from conntrail.kubectl.alert.listing import WIDE_ONLY, line_of, row_of
from conntrail.kubectl.alert.reader import Pairs, follow_alerts, list_alerts
from conntrail.policy.writer import Output, print_rows, say

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="See alerts of the cluster, and follow them.",
    epilog="Examples: kubectl conntrail alerts list   ·   kubectl conntrail alerts follow -A --severity critical",
)


def _filter(text: str, *names: str) -> Any:
    return typer.Option(*names, help=f"{text} May be repeated; * and ? as in a shell.")


_Namespace = Annotated[list[str] | None, _filter("Its namespace, or a workload's.", "--namespace", "-n")]
_Severity = Annotated[list[str] | None, _filter("low, medium, high or critical.", "--severity")]
_Rule = Annotated[list[str] | None, _filter("The rule that raised it.", "--rule")]
_Workload = Annotated[list[str] | None, _filter("A workload that it touches: namespace/name or name.", "--workload")]
_Status = Annotated[list[str] | None, _filter("open, updated, resolved, or active, the first two.", "--status")]


class Start(StrEnum):
    """Where following begins."""

    now = "now"
    active = "active"


class Manner(StrEnum):
    """How what is followed is printed."""

    compact = "compact"
    jsonl = "jsonl"


@app.command("list", epilog="Example: kubectl conntrail alerts list -n shop --status active -o wide")
def list_command(
    namespace: _Namespace = None,
    severity: _Severity = None,
    rule: _Rule = None,
    workload: _Workload = None,
    status: _Status = None,
    last: Annotated[int, typer.Option(min=1, max=1000, help="How many at most, the latest.")] = 100,
    output: Annotated[Output, typer.Option("-o", "--output", help="How to print them.")] = Output.table,
) -> None:
    """List alerts, the latest first: those that are open, unless --status asks for others."""
    pairs = _pairs(namespace=namespace, severity=severity, rule=rule, workload=workload, status=status or ["active"])
    found = list_alerts([*pairs, ("limit", str(last))])
    alerts = found.get("alerts", [])
    is_document = output in (Output.json, Output.jsonl)
    print_rows(alerts if is_document else map(row_of, alerts), output, wide_only=WIDE_ONLY)
    if found.get("has_more"):
        say(f"more than {last} fit: see --last")
    elif not alerts:
        say("no alert fits")


@app.command("follow", epilog="Example: kubectl conntrail alerts follow --severity high --severity critical")
def follow_command(
    namespace: _Namespace = None,
    severity: _Severity = None,
    rule: _Rule = None,
    workload: _Workload = None,
    status: _Status = None,
    start: Annotated[Start, typer.Option("--from", help="active: begin with the alerts that are open.")] = Start.now,
    output: Annotated[Manner, typer.Option("-o", "--output", help="A line each, or JSON.")] = Manner.compact,
) -> None:
    """Print alerts as they open, change and resolve, until Ctrl-C."""
    pairs = _pairs(namespace=namespace, severity=severity, rule=rule, workload=workload, status=status)
    for alert in follow_alerts([*pairs, ("from", start.value)]):
        typer.echo(json.dumps(alert, ensure_ascii=False) if output is Manner.jsonl else line_of(alert))


def _pairs(**given: list[str] | None) -> Pairs:
    return [(name, value) for name, values in given.items() for value in values or ()]
