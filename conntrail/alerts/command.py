"""``conntrail alerts``: what is wrong, since when and why; and silence for what is known."""

import time
from typing import Annotated, Any, Literal

import typer

from conntrail.alerts.silence.command import app as silence
from conntrail.errors import CommandError
from conntrail.observe.condition import FilterError
from conntrail.policy.writer import Output, print_rows, say
from streams.notice.selection import Selection, SelectionError, parse_selection

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="See alerts, follow them, and silence what is known.",
    epilog="Examples: conntrail alerts list   ·   conntrail alerts follow --severity high --severity critical",
)
app.add_typer(silence, name="silence")


def _filter(text: str, *names: str) -> Any:
    return typer.Option(*names, help=f"{text} May be repeated; * and ? as in a shell.")


_Namespace = Annotated[list[str] | None, _filter("Its namespace, or a workload's.", "--namespace", "-n")]
_Severity = Annotated[
    list[str] | None, typer.Option("--severity", help="low, medium, high or critical. May be repeated.")
]
_Rule = Annotated[list[str] | None, _filter("The rule that raised it.", "--rule")]
_Category = Annotated[list[str] | None, _filter("policy, connectivity, exposure, dns, http, …", "--category")]
_Workload = Annotated[list[str] | None, _filter("A workload that it touches: namespace/name or name.", "--workload")]
_Status = Annotated[
    list[str] | None,
    typer.Option("--status", help="open, updated, resolved, or active, the first two. May be repeated."),
]
_Print = Annotated[Output, typer.Option("-o", "--output", help="How to print them.")]


@app.command(
    "list",
    epilog="Examples: conntrail alerts list   ·   conntrail alerts list --all -n shop -o wide   ·   "
    "conntrail alerts list --severity critical -o jsonl",
)
def list_alerts(
    namespace: _Namespace = None,
    severity: _Severity = None,
    rule: _Rule = None,
    category: _Category = None,
    workload: _Workload = None,
    status: _Status = None,
    every: Annotated[bool, typer.Option("--all", "-a", help="Resolved ones too.")] = False,
    last: Annotated[int, typer.Option(min=1, help="How many at most, the latest.")] = 100,
    output: _Print = Output.table,
) -> None:
    """List alerts, the latest first: those that are open, unless --all or --status asks for others."""
    chosen = status or ([] if every else ["active"])
    selection = _selection(namespace, severity, rule, category, workload, chosen)
    from conntrail.alerts.listing import WIDE_ONLY, alert_row  # noqa: PLC0415 - keeps --help fast
    from streams.notice.document import alert_document  # noqa: PLC0415

    topics = _topics()
    found = [word.alert for word in topics.notices.book.alerts() if selection.holds(word.alert)]
    make = alert_document if output in (Output.json, Output.jsonl) else alert_row
    print_rows([make(alert) for alert in found[:last]], output, wide_only=WIDE_ONLY)
    _tell_rest(len(found), last, topics.unusable)


@app.command("show", epilog="Examples: conntrail alerts show 4f1c   ·   conntrail alerts show 4f1c -o json")
def show_alert(
    alert_id: Annotated[str, typer.Argument(metavar="ID", help="The alert's id, or how it begins.")],
    output: _Print = Output.table,
) -> None:
    """Show all that is known of one alert: its cause with the evidence, policies, what to do next."""
    from conntrail.alerts.listing import alert_sheet  # noqa: PLC0415 - keeps --help fast
    from streams.notice.document import alert_document, text_of  # noqa: PLC0415

    alerts = [word.alert for word in _topics().notices.book.alerts()]
    found = [alert for alert in alerts if alert["id"] == alert_id] or [
        alert for alert in alerts if alert["id"].startswith(alert_id)
    ]
    if len(found) != 1:
        known = f"{len(found)} alerts begin so: give more of the id" if found else "no such alert is known"
        raise CommandError(f"{alert_id[:80]!r}: {known}; see conntrail alerts list --all")
    if output is Output.jsonl:
        typer.echo(text_of(alert_document(found[0])))
    elif output is Output.json:
        typer.echo(_indented(alert_document(found[0])))
    else:
        print_rows(alert_sheet(found[0]), output)


@app.command(
    "follow",
    epilog="Examples: conntrail alerts follow   ·   conntrail alerts follow --from active -n shop -o jsonl",
)
def follow_alerts(
    namespace: _Namespace = None,
    severity: _Severity = None,
    rule: _Rule = None,
    category: _Category = None,
    workload: _Workload = None,
    status: _Status = None,
    start: Annotated[
        Literal["now", "active"], typer.Option("--from", help="active: begin with the alerts that are open.")
    ] = "now",
    output: Annotated[
        Literal["compact", "table", "wide", "json", "jsonl"],
        typer.Option("-o", "--output", help="A line each; as JSON with json and jsonl."),
    ] = "compact",
) -> None:
    """Print alerts as they open, change and resolve, until Ctrl-C."""
    selection = _selection(namespace, severity, rule, category, workload, status)
    from conntrail.alerts.reader import NoticeTopics  # noqa: PLC0415 - keeps --help fast
    from conntrail.alerts.writer import print_followed  # noqa: PLC0415
    from runtime.reader import read_settings  # noqa: PLC0415

    words = NoticeTopics(read_settings()).follow(has_active=start == "active")
    print_followed((word.alert for word in words if selection.holds(word.alert)), is_json=output in ("json", "jsonl"))


@app.command(
    "test",
    epilog="Examples: conntrail alerts test -f rules.yaml   ·   conntrail alerts test -f rules/ --since 6h -o json",
)
def try_alerts(
    file: Annotated[
        str, typer.Option("-f", "--file", metavar="PATH", help="YAML file of rules, or a directory of such files.")
    ] = "",
    since: Annotated[str, typer.Option(help="From then to now: 30m, 2h, or a time such as 2026-11-23T14:00.")] = "1h",
    output: _Print = Output.table,
) -> None:
    """Hold rules against what Kafka still holds, and print which alerts they would have raised.

    Without a file the built-in rules are tried. Nothing is learned before: rules about what is new say more here. A
    rule that is none is told with its line and the reason. Nothing is written, and nobody is told.
    """
    from conntrail.alerts.listing import WIDE_ONLY, alert_row  # noqa: PLC0415 - keeps --help fast
    from conntrail.alerts.trial.main import chosen_rules, try_rules  # noqa: PLC0415
    from conntrail.observe.span import Span  # noqa: PLC0415
    from runtime.reader import read_settings  # noqa: PLC0415
    from streams.notice.document import alert_document  # noqa: PLC0415

    rules, own = chosen_rules(file)
    now = time.time()
    try:
        since_ms = Span.parse(since, "", now).since_ms or round(now * 1000)
    except FilterError as error:
        raise typer.BadParameter(str(error)) from error
    trial = try_rules(read_settings(), rules, since_ms * 1_000_000, say)
    found = [alert for alert in trial.alerts if alert["rule"] in own]
    make = alert_document if output in (Output.json, Output.jsonl) else alert_row
    print_rows([make(alert) for alert in found], output, wide_only=WIDE_ONLY)
    say(f"{len(found)} alerts of {len(own)} rules from {trial.records} records since {since}")


def _selection(
    namespace: list[str] | None,
    severity: list[str] | None,
    rule: list[str] | None,
    category: list[str] | None,
    workload: list[str] | None,
    status: list[str] | None,
) -> Selection:
    given = {
        "namespace": namespace, "severity": severity, "rule": rule, "category": category,
        "workload": workload, "status": status,
    }  # fmt: skip
    try:
        return parse_selection([(kind, value) for kind, values in given.items() for value in values or ()])
    except SelectionError as error:
        raise typer.BadParameter(str(error)) from error


def _topics() -> Any:
    """With all alerts read."""
    from conntrail.alerts.reader import NoticeTopics  # noqa: PLC0415 - keeps --help fast
    from runtime.reader import read_settings  # noqa: PLC0415
    from schemas.topic import ALERTS  # noqa: PLC0415

    topics = NoticeTopics(read_settings())
    topics.read(ALERTS)
    return topics


def _tell_rest(found: int, last: int, unusable: int) -> None:
    if found > last:
        say(f"{found} alerts fit, {last} are shown: see --last")
    elif not found:
        say("no alert fits")
    if unusable:
        say(f"INCOMPLETE: {unusable} records of the topic cannot be read")


def _indented(document: dict[str, Any]) -> str:
    import json  # noqa: PLC0415 - keeps --help fast

    return json.dumps(document, indent=2)
