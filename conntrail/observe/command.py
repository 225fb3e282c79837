"""``conntrail observe``: flows, DNS, application exchanges, events and audit, live or from the past."""

import time
from datetime import UTC
from enum import StrEnum
from typing import Annotated, Any, Final, Literal

import typer
from typer.core import TyperCommand

from conntrail.completion.names import among
from conntrail.observe.aggregate import KEYS, parse_keys
from conntrail.observe.condition import FilterError
from conntrail.observe.exchange_selection import METHODS, RESPONSE_CODES, types_of
from conntrail.observe.manner import Manner
from conntrail.observe.mask import FIELDS, parse_mask
from conntrail.observe.negation import conditions
from conntrail.observe.newest import MOST
from conntrail.observe.selection import FILTERS, PROTOCOLS
from conntrail.observe.span import Span

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
_ORDER: Final = f"{__name__}.order"


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


class IpVersion(StrEnum):
    """Of the addresses of a flow."""

    V4 = "4"
    V6 = "6"


class _OrderedCommand(TyperCommand):
    """Remembers the order in which options were typed, of which ``--not`` makes something."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        _, _, order = self.make_parser(ctx).parse_args(args=list(args))
        ctx.meta[_ORDER] = ["not" if parameter.name == "does_negate" else str(parameter.name) for parameter in order]
        return super().parse_args(ctx, args)


_ENDS: Final = "Who: either end, the source (from) or the destination (to)"
_WHAT: Final = "What became of it, and what was asked"
_WHEN: Final = "When, how many, from where"
_HOW: Final = "How it is printed"


def _option(panel: str, text: str, *names: str) -> Any:
    return typer.Option(*names, help=text, rich_help_panel=panel)


def _named(panel: str, kind: str, text: str, *names: str) -> Any:
    """An option whose values the cluster knows."""

    def complete(incomplete: str) -> list[str]:
        from conntrail.completion.reader import complete_names  # noqa: PLC0415 - keeps --help fast

        return complete_names(kind, incomplete)

    return typer.Option(*names, help=text, rich_help_panel=panel, autocompletion=complete)


@app.command(
    cls=_OrderedCommand,
    epilog="Examples:  conntrail observe --follow --verdict denied   ·   "
    "conntrail observe --from-namespace shop --to-workload data/postgres --since 1h -o wide   ·   "
    "conntrail observe --http-status 5xx --to-label app=payment   ·   "
    "conntrail observe --dns-query '*.example.com' --dns-rcode NXDOMAIN --since 1h   ·   "
    "conntrail observe --not -n kube-system --to-fqdn '*' --aggregate-by from-workload,domain   ·   "
    "conntrail observe --type dns --type event --workload shop/frontend",
)
def observe(
    context: typer.Context,
    types: Annotated[
        list[Type] | None,
        _option(_WHAT, "What to show, several in order of time; flows, or what the filters are of.", "--type", "-t"),
    ] = None,
    namespace: Annotated[
        list[str] | None, _named(_ENDS, "namespace", "Either end's namespace.", "--namespace", "-n")
    ] = None,
    pod: Annotated[
        list[str] | None, _named(_ENDS, "pod", "Either end's pod: name or namespace/name; * is a wildcard.")
    ] = None,
    workload: Annotated[
        list[str] | None,
        _named(_ENDS, "workload", "Either end's workload, likewise, or kind/namespace/name: daemonset/*/*."),
    ] = None,
    service: Annotated[
        list[str] | None, _named(_ENDS, "service", "The Service dialled, or an end's own, likewise.")
    ] = None,
    label: Annotated[
        list[str] | None,
        _option(_ENDS, "Labels of either end's pod: app=web,tier!=db,env in (a,b),!legacy.", "--label", "-l"),
    ] = None,
    ip: Annotated[list[str] | None, _option(_ENDS, "Any address of the flow: address or network.")] = None,
    port: Annotated[list[str] | None, _option(_ENDS, "Either end's port: 80, 8000-8100, several with commas.")] = None,
    fqdn: Annotated[
        list[str] | None, _option(_ENDS, "The name that was looked up, asked for or called: *.example.com.")
    ] = None,
    from_namespace: Annotated[list[str] | None, _named(_ENDS, "namespace", "The source's namespace.")] = None,
    from_pod: Annotated[list[str] | None, _named(_ENDS, "pod", "The source's pod.")] = None,
    from_workload: Annotated[list[str] | None, _named(_ENDS, "workload", "The source's workload.")] = None,
    from_service: Annotated[list[str] | None, _named(_ENDS, "service", "The source's service.")] = None,
    from_label: Annotated[list[str] | None, _option(_ENDS, "Labels of the source's pod.")] = None,
    from_ip: Annotated[list[str] | None, _option(_ENDS, "The source's address or network.")] = None,
    from_port: Annotated[list[str] | None, _option(_ENDS, "The source's port.")] = None,
    from_fqdn: Annotated[list[str] | None, typer.Option(hidden=True)] = None,
    to_namespace: Annotated[list[str] | None, _named(_ENDS, "namespace", "The destination's namespace.")] = None,
    to_pod: Annotated[list[str] | None, _named(_ENDS, "pod", "The destination's pod.")] = None,
    to_workload: Annotated[list[str] | None, _named(_ENDS, "workload", "The destination's workload.")] = None,
    to_service: Annotated[list[str] | None, _named(_ENDS, "service", "The destination's service.")] = None,
    to_label: Annotated[list[str] | None, _option(_ENDS, "Labels of the destination's pod.")] = None,
    to_ip: Annotated[list[str] | None, _option(_ENDS, "The destination's address or network.")] = None,
    to_port: Annotated[list[str] | None, _option(_ENDS, "The destination's port.")] = None,
    to_fqdn: Annotated[list[str] | None, _option(_ENDS, "The name by which the destination was called.")] = None,
    node_name: Annotated[
        list[str] | None, _named(_ENDS, "node", "The node that saw it, or that an event is about.")
    ] = None,
    verdict: Annotated[list[Verdict] | None, _option(_WHAT, "What became of a flow.")] = None,
    policy: Annotated[
        list[str] | None, _named(_WHAT, "policy", "The policy that decided: name or namespace/name; * is a wildcard.")
    ] = None,
    protocol: Annotated[
        list[str] | None,
        typer.Option(
            help="tcp, udp, sctp, icmp, or an application protocol.",
            rich_help_panel=_WHAT,
            autocompletion=among(PROTOCOLS),
        ),
    ] = None,
    ip_version: Annotated[list[IpVersion] | None, _option(_WHAT, "Of the addresses.")] = None,
    http_method: Annotated[
        list[str] | None,
        typer.Option(help="Of requests (--type l7).", rich_help_panel=_WHAT, autocompletion=among(METHODS)),
    ] = None,
    http_path: Annotated[
        list[str] | None, _option(_WHAT, "Regular expression that a part of the path fits: ^/orders/[^/]+$.")
    ] = None,
    http_status: Annotated[list[str] | None, _option(_WHAT, "404, 5xx or 5+, 500-503, several with commas.")] = None,
    dns_query: Annotated[list[str] | None, _option(_WHAT, "The name asked for (--type dns); * is a wildcard.")] = None,
    dns_rcode: Annotated[
        list[str] | None,
        typer.Option(
            help="The answer's code, or TIMEOUT.", rich_help_panel=_WHAT, autocompletion=among(RESPONSE_CODES)
        ),
    ] = None,
    does_negate: Annotated[
        bool,
        _option(
            _WHAT, "Exclude what the next filter selects: --not --namespace kube-system; once per filter.", "--not"
        ),
    ] = False,
    since: Annotated[
        str,
        _option(
            _WHEN, "How far back: 10m, 2h, 7d, or a time as 2026-01-31T12:00:00Z; without a zone it is local time."
        ),
    ] = "",
    until: Annotated[str, _option(_WHEN, "Up to when, likewise.")] = "",
    last: Annotated[
        int | None,
        typer.Option(
            min=1, max=MOST, rich_help_panel=_WHEN, help="How many at most; 20 unless --since or --follow is given."
        ),
    ] = None,
    first: Annotated[
        int | None,
        typer.Option(
            min=1, max=MOST, rich_help_panel=_WHEN, help="The oldest so many instead: how it began; best with --since."
        ),
    ] = None,
    follow: Annotated[bool, _option(_WHEN, "Go on with what comes, until Ctrl-C.", "--follow", "-f")] = False,
    source: Annotated[
        Literal["auto", "elasticsearch", "kafka"],
        _option(_WHEN, "Where the past is read; auto: Elasticsearch, or Kafka when that does not answer."),
    ] = "auto",
    input_file: Annotated[
        str, _option(_WHEN, "Read what -o jsonl wrote, from a file or from standard input (-), instead of a store.")
    ] = "",
    utc: Annotated[bool, _option(_HOW, "Show times in UTC, and take those without a zone for UTC.", "--utc")] = False,
    aggregate_by: Annotated[
        list[str] | None,
        typer.Option(
            help="Count by these instead, separated by commas: workload,verdict; of the last hour when no span is "
            "given.",
            rich_help_panel=_HOW,
            autocompletion=among(KEYS),
        ),
    ] = None,
    field_mask: Annotated[
        list[str] | None,
        typer.Option(
            help="Print these fields only, separated by commas: source.ip,event.action; of json, jsonl.",
            rich_help_panel=_HOW,
            autocompletion=among(FIELDS),
        ),
    ] = None,
    output: Annotated[
        Literal["compact", "table", "wide", "json", "jsonl"], _option(_HOW, "How to print them.", "--output", "-o")
    ] = "compact",
) -> None:
    """Show flows: who talked to whom, whether it was allowed, and by which policy; or what was said, or happened.

    Without --follow: the last of the past, from Elasticsearch, or from Kafka when that does not answer.
    Options of one kind are alternatives; different kinds must all hold; --not before one excludes what it selects.
    """
    values = {name: given for name, given in locals().items() if name in FILTERS and given}
    if follow and (until or aggregate_by or input_file):
        raise typer.BadParameter(
            "what is followed has no end: leave --until, --aggregate-by and --input-file away", param_hint="--follow"
        )
    if first is not None and (follow or last is not None):
        raise typer.BadParameter("the first exclude --last and --follow: leave those away", param_hint="--first")
    if field_mask and (aggregate_by or output not in ("json", "jsonl")):
        raise typer.BadParameter("fields are those of -o json or jsonl: add one", param_hint="--field-mask")
    if from_fqdn:
        raise typer.BadParameter(
            "nobody looks up who calls them: ask by --from-ip, or by --to-fqdn for who was called",
            param_hint="--from-fqdn",
        )
    try:
        asked = types_of(types or (list(Type) if input_file else []), () if input_file and not types else values)
        wanted = conditions(values, context.meta[_ORDER])
        zone = UTC if utc else None
        is_open = not (since or until or first or last or input_file)
        span = Span.parse("1h" if aggregate_by and is_open else since, until, time.time(), zone)
        manner = Manner(output, parse_mask(field_mask or (), asked), parse_keys(aggregate_by or ()), zone)
    except FilterError as error:
        raise typer.BadParameter(str(error)) from error
    limit = first or last or (None if since or follow or aggregate_by or input_file else 20)
    from conntrail.observe.look import Look  # noqa: PLC0415 - keeps --help fast
    from conntrail.observe.main import replay, show  # noqa: PLC0415 - the same

    look = Look(asked, wanted, span, limit, follow, source, first is not None, values, bool(aggregate_by))
    if input_file:
        replay(look, input_file, manner)
    else:
        show(look, manner)
