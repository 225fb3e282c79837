"""`conntrail policy explain`."""

import json
import time
from dataclasses import replace
from typing import Annotated

import typer

from conntrail.errors import CommandError
from conntrail.policy.cluster.snapshot import Snapshot
from conntrail.policy.explain.answer import Request, ask, judge, nodes_of, within_bounds
from conntrail.policy.explain.evidence import conditions_of, coverage_words, domains_of, sightings
from conntrail.policy.explain.report import Report, document_of_report, lines_of, make_report
from conntrail.policy.explain.target import Target, find_target, split_port
from conntrail.policy.history.period import Period, parse_period
from conntrail.policy.usage.command import Files, Since, Until, show_notes
from conntrail.policy.writer import Output, fail, say
from conntrail.text import printable
from runtime.settings import Settings

_PROTOCOLS = {name.upper(): name for name in ("TCP", "UDP", "SCTP", "ICMP", "ICMPv6")}


def explain(
    source: Annotated[str, typer.Argument(metavar="SRC", help="Pod, Service or workload as NAMESPACE/NAME, node/NAME, "
                                          "or an address.")],
    destination: Annotated[str, typer.Argument(metavar="DST:PORT", help="Likewise; a port by number or name.")],
    filename: Files = None,
    protocol: Annotated[str, typer.Option(help="TCP, UDP, SCTP, ICMP or ICMPv6.")] = "TCP",
    domain: Annotated[list[str] | None, typer.Option(help="Name by which the source finds the address.")] = None,
    method: Annotated[str, typer.Option(help="HTTP method of the request, with --path.")] = "",
    path: Annotated[str, typer.Option(help="HTTP path of the request, with --method.")] = "",
    since: Since = "24h",
    until: Until = "",
    past: Annotated[str, typer.Option("--source", help="auto, elasticsearch, kafka, or none: where flows are read.")]
    = "auto",
    output: Annotated[Output, typer.Option("-o", "--output", help="table for people, json for programs.")]
    = Output.table,
) -> None:  # fmt: skip
    """Explain whether SRC may talk to DST:PORT, by what, what was seen last, and what to change. Sends no packet.

    Exit code: 0 allowed; 1 denied, undecidable, or the question cannot be answered (then one line on stderr).
    """
    from conntrail.policy.cluster.reader import read_cluster  # noqa: PLC0415 - keeps --help fast
    from runtime.reader import read_settings  # noqa: PLC0415

    if protocol.upper() not in _PROTOCOLS:
        raise typer.BadParameter(f"expected {', '.join(_PROTOCOLS.values())}", param_hint="--protocol")
    if past not in ("auto", "elasticsearch", "kafka", "none"):
        raise typer.BadParameter("expected auto, elasticsearch, kafka or none", param_hint="--source")
    if bool(method) != bool(path):
        raise typer.BadParameter("give both or none", param_hint="--method, --path")
    try:
        settings = read_settings()
        period = parse_period(since, until, int(time.time() * 1000))
        name, port = split_port(destination)
        snapshot = read_cluster(settings, filename)
        show_notes(snapshot.notes)
        ends = find_target(source, snapshot), find_target(name, snapshot)
        http = (method, path) if method else None
        request = Request(_PROTOCOLS[protocol.upper()], port, tuple(domain or ()), http)
        report = _report(settings, snapshot, ends, request, (period, past))
    except CommandError as error:
        fail(error)
        return
    if output in (Output.json, Output.jsonl):
        indent = 2 if output is Output.json else None
        typer.echo(json.dumps(document_of_report(report), ensure_ascii=False, indent=indent))
    else:
        typer.echo("\n".join(printable(line) for line in lines_of(report)))
    if report.verdict != "allowed":
        raise typer.Exit(1)


def _report(
    settings: Settings,
    snapshot: Snapshot,
    ends: tuple[Target, Target],
    request: Request,
    look: tuple[Period, str],
) -> Report:
    from conntrail.policy.explain.reader import Look, read_last_flows  # noqa: PLC0415 - keeps --help fast

    period, past = look
    asked = request.protocol, request.port
    questions = ask(*ends, request)
    flows: dict[str, dict[str, object]] = {}
    reported: dict[str, dict[str, object]] = {}
    nodes = nodes_of(*ends)
    if past != "none":
        wanted = conditions_of(*ends, request.protocol, {question.port for question in questions}, settings.cluster)
        flows, reported = read_last_flows(settings, Look(wanted, nodes, period, past), say)
    if not request.domains and domains_of(flows):
        questions = ask(*ends, replace(request, domains=domains_of(flows)))
    judged = within_bounds(questions)
    if len(judged) < len(questions):
        say(f"INCOMPLETE: {len(judged)} of {len(questions)} pairs of pods were judged: name pods to ask about others")
    cases = judge(judged, snapshot.policies)
    if past == "none":
        return make_report(snapshot, ends, asked, cases, (None, dict.fromkeys(nodes, "")))
    coverage = {name: coverage_words(name, reported.get(name)) for name in nodes}
    return make_report(snapshot, ends, asked, cases, (sightings(flows), coverage))
