"""``conntrail observe``: flows, live or from the past."""

import json
import sys
import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from enum import StrEnum
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from conntrail.errors import CommandError
from conntrail.observe.condition import AnyCondition, FilterError, matches
from conntrail.observe.newest import Newest, identity, stamp
from conntrail.observe.render import COLUMNS, WIDE_COLUMNS, compact, first, row
from conntrail.observe.selection import EndSelection, flow_conditions
from conntrail.observe.span import Span
from runtime.settings import Settings

if TYPE_CHECKING:
    from conntrail.observe.reader import FlowTopic

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
_REMEMBERED = 100_000


class Verdict(StrEnum):
    """What may have become of a flow."""

    ALLOWED = "allowed"
    DENIED = "denied"
    FAILED = "failed"


def _option(text: str, *names: str) -> Any:
    return typer.Option(*names, help=text)


@app.command(
    epilog="Examples:  conntrail observe --follow --verdict denied   ·   "
    "conntrail observe --from-namespace shop --to-workload data/postgres --since 1h -o wide"
)
def observe(
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
        int | None, typer.Option(min=1, help="How many flows at most; 20 unless --since or --follow is given.")
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
    """Show flows: who talked to whom, whether it was allowed, and by which policy.

    Without --follow: the last flows of the past, from Elasticsearch, or from Kafka when that does not answer.
    Options of one kind are alternatives; different kinds must all hold.
    """
    if follow and until:
        raise typer.BadParameter("what is followed has no end: leave --until away", param_hint="--follow")
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
    _print(_documents(conditions, span, limit, follow, source), output, follow)


def _given(values: list[str] | None) -> list[str]:
    return values or []


def _documents(
    conditions: list[AnyCondition], span: Span, limit: int | None, follow: bool, source: str
) -> Iterator[dict[str, Any]]:
    """The past first, then, with ``follow``, what comes."""
    from conntrail.observe.reader import FlowTopic  # noqa: PLC0415 - keeps --help fast
    from runtime.reader import read_settings  # noqa: PLC0415

    settings = read_settings()
    topic = FlowTopic(settings.kafka, settings.schema_registry, partial(typer.echo, err=True))
    if not follow:
        yield from _past(settings, topic, conditions, span, limit, source)
        return
    from_ms, past = span.since_ms, list[dict[str, Any]]()
    if limit is not None:
        from_ms = int(time.time() * 1000)
        past = list(_past(settings, topic, conditions, span, limit, source))
    coming = (
        document
        for document in topic.documents(from_ms, follow=True)
        if span.holds(stamp(document)) and matches(conditions, document)
    )
    yield from _once(chain(past, coming))


def _past(
    settings: Settings,
    topic: "FlowTopic",
    conditions: list[AnyCondition],
    span: Span,
    limit: int | None,
    source: str,
) -> Iterable[dict[str, Any]]:
    from conntrail.observe.reader import FlowIndex  # noqa: PLC0415 - keeps --help fast

    if source == "elasticsearch" and not settings.elasticsearch.hosts:
        raise CommandError("CONNTRAIL_ELASTICSEARCH__HOSTS is empty: set it, or ask --source kafka")
    if source == "kafka" or not settings.elasticsearch.hosts:
        return _kept_by_kafka(topic, conditions, span, limit)
    index = FlowIndex(settings.elasticsearch)
    try:
        found = index.latest(conditions, span.since_ms, span.until_ms, limit)
        return found or _explain_nothing("Elasticsearch", "".join(map(stamp, index.latest([], None, None, 1))))
    except CommandError as error:
        if source == "elasticsearch":
            raise
        typer.echo(f"{error}: showing what Kafka still keeps", err=True)
    return _kept_by_kafka(topic, conditions, span, limit)


def _kept_by_kafka(
    topic: "FlowTopic", conditions: list[AnyCondition], span: Span, limit: int | None
) -> list[dict[str, Any]]:
    found, latest = Newest(limit), ""
    for document in topic.documents(span.since_ms or 0, follow=False):
        latest = max(latest, stamp(document))
        if span.holds(stamp(document)) and matches(conditions, document):
            found.add(document)
    return found.documents() or _explain_nothing("Kafka", latest)


def _explain_nothing(where: str, latest: str) -> list[dict[str, Any]]:
    """Say why there is nothing to show: nothing fits, or nothing comes. ``latest`` is the newest flow's time."""
    if latest:
        typer.echo(f"no flow fits; the newest in {where} is of {latest}: widen the filters or --since", err=True)
    else:
        typer.echo(f"{where} has no flow to ask for: do agents and a worker run, with the same settings?", err=True)
    return []


def _once(documents: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """A flow that is emitted again is shown again only when its verdict changed."""
    shown: OrderedDict[str, str] = OrderedDict()
    for document in documents:
        name, action = identity(document), str(first(document, "event.action"))
        if shown.get(name) == action:
            continue
        shown[name] = action
        if len(shown) > _REMEMBERED:
            shown.popitem(last=False)
        yield document


def _print(documents: Iterator[dict[str, Any]], output: str, follow: bool) -> None:
    counts: dict[str, int] = {}
    seen: list[dict[str, Any]] = []
    is_streamed = output in ("compact", "jsonl") or follow
    try:
        for document in documents:
            coverage = str(first(document, "flow.coverage"))
            counts[coverage] = counts.get(coverage, 0) + 1
            if is_streamed:
                typer.echo(json.dumps(document) if output in ("json", "jsonl") else compact(document))
                sys.stdout.flush()
            else:
                seen.append(document)
    except KeyboardInterrupt:
        if not follow:
            raise
    if output == "json" and not follow:
        typer.echo(json.dumps(seen, indent=2))
    elif not is_streamed:
        _print_table(seen, is_wide=output == "wide")
    _print_completeness(counts)


def _print_table(documents: list[dict[str, Any]], is_wide: bool) -> None:
    from conntrail.writer import print_table  # noqa: PLC0415 - keeps --help fast

    print_table((*COLUMNS, *(WIDE_COLUMNS if is_wide else ())), [row(document, is_wide) for document in documents])


def _print_completeness(counts: dict[str, int]) -> None:
    """What the nodes could see, so that few flows are never mistaken for little traffic."""
    total = sum(counts.values())
    words = "1 flow" if total == 1 else f"{total} flows"
    if not total:
        typer.echo(words, err=True)
        return
    if counts.keys() == {"complete"}:
        typer.echo(f"{words}; the reporting nodes saw everything", err=True)
        return
    partly = ", ".join(f"{count} {coverage}" for coverage, count in sorted(counts.items()) if coverage != "complete")
    typer.echo(f"{words}, INCOMPLETE: {partly}; the metrics conntrail_agent_… of those nodes say why", err=True)
