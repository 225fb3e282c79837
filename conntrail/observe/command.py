"""``conntrail observe``: flows, DNS, application exchanges, events and audit, live or from the past."""

import time
from enum import StrEnum
from typing import Annotated, Any, Literal

import typer

from conntrail.observe.condition import FilterError
from conntrail.observe.selection import EndSelection, flow_conditions
from conntrail.observe.span import Span

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


class Type(StrEnum):
    """What can be looked at."""

    FLOW = "flow"
    DNS = "dns"
    L7 = "l7"
    EVENT = "event"
    AUDIT = "audit"


class Verdict(StrEnum):
    """What may have become of a flow."""

    ALLOWED = "allowed"
    DENIED = "denied"
    FAILED = "failed"


def _option(text: str, *names: str) -> Any:
    return typer.Option(*names, help=text)


@app.command(
    epilog="Examples:  conntrail observe --follow --verdict denied   ·   "
    "conntrail observe --from-namespace shop --to-workload data/postgres --since 1h -o wide   ·   "
    "conntrail observe --type dns --type event --workload shop/frontend"
)
def observe(
    types: Annotated[
        list[Type] | None, _option("What to show, several in order of time; flows when not given.", "--type", "-t")
    ] = None,
    namespace: Annotated[list[str] | None, _option("Either end's namespace.", "--namespace", "-n")] = None,
    pod: Annotated[list[str] | None, _option("Either end's pod: name or namespace/name; * is a wildcard.")] = None,
    workload: Annotated[list[str] | None, _option("Either end's workload, likewise.")] = None,
    service: Annotated[list[str] | None, _option("The Service dialled, or an end's own, likewise.")] = None,
    ip: Annotated[list[str] | None, _option("Any address of the flow: address or network.")] = None,
    port: Annotated[list[str] | None, _option("Either end's port.")] = None,
    from_namespace: Annotated[list[str] | None, _option("The source's namespace.")] = None,
    from_pod: Annotated[list[str] | None, _option("The source's pod.")] = None,
    from_workload: Annotated[list[str] | None, _option("The source's workload.")] = None,
    from_service: Annotated[list[str] | None, _option("The source's service.")] = None,
    from_ip: Annotated[list[str] | None, _option("The source's address or network.")] = None,
    from_port: Annotated[list[str] | None, _option("The source's port.")] = None,
    to_namespace: Annotated[list[str] | None, _option("The destination's namespace.")] = None,
    to_pod: Annotated[list[str] | None, _option("The destination's pod.")] = None,
    to_workload: Annotated[list[str] | None, _option("The destination's workload.")] = None,
    to_service: Annotated[list[str] | None, _option("The destination's service.")] = None,
    to_ip: Annotated[list[str] | None, _option("The destination's address or network.")] = None,
    to_port: Annotated[list[str] | None, _option("The destination's port.")] = None,
    verdict: Annotated[list[Verdict] | None, _option("What became of it.")] = None,
    protocol: Annotated[list[str] | None, _option("tcp, udp, sctp, icmp, or an application protocol.")] = None,
    since: Annotated[
        str, _option("How far back: 10m, 2h, 7d, or a time as 2026-01-31T12:00:00Z; without a zone it is UTC.")
    ] = "",
    until: Annotated[str, _option("Up to when, likewise.")] = "",
    last: Annotated[
        int | None, typer.Option(min=1, help="How many at most; 20 unless --since or --follow is given.")
    ] = None,
    follow: Annotated[bool, _option("Go on with what comes, until Ctrl-C.", "--follow", "-f")] = False,
    source: Annotated[
        Literal["auto", "elasticsearch", "kafka"],
        _option("Where the past is read; auto: Elasticsearch, or Kafka when that does not answer."),
    ] = "auto",
    output: Annotated[
        Literal["compact", "table", "wide", "json", "jsonl"], _option("How to print them.", "--output", "-o")
    ] = "compact",
) -> None:
    """Show flows: who talked to whom, whether it was allowed, and by which policy; or what was said, or happened.

    Without --follow: the last of the past, from Elasticsearch, or from Kafka when that does not answer.
    Options of one kind are alternatives; different kinds must all hold.
    """
    if follow and until:
        raise typer.BadParameter("what is followed has no end: leave --until away", param_hint="--follow")
    if verdict and set(types or ()) - {Type.FLOW}:
        raise typer.BadParameter("only flows have one: leave --type away", param_hint="--verdict")
    try:
        conditions = [
            *EndSelection("any", *map(_given, (namespace, pod, workload, service, ip, port))).conditions(),
            *EndSelection(
                "source", *map(_given, (from_namespace, from_pod, from_workload, from_service, from_ip, from_port))
            ).conditions(),
            *EndSelection(
                "destination", *map(_given, (to_namespace, to_pod, to_workload, to_service, to_ip, to_port))
            ).conditions(),
            *flow_conditions(verdict or [], _given(protocol)),
        ]
        span = Span.parse(since, until, time.time())
    except FilterError as error:
        raise typer.BadParameter(str(error)) from error
    limit = last if last is not None else None if since or follow else 20
    from conntrail.observe.main import Look, show  # noqa: PLC0415 - keeps --help fast

    wanted = list(dict.fromkeys(types or [Type.FLOW]))
    show(Look(wanted, conditions, span, limit, follow, source), output)


def _given(values: list[str] | None) -> list[str]:
    return values or []
