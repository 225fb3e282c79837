"""`conntrail policy list`, `hits` and `unused`."""

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from conntrail.errors import CommandError
from conntrail.policy.history.period import Period, parse_period
from conntrail.policy.history.seen import History
from conntrail.policy.usage.rows import hit_rows, policy_rows
from conntrail.policy.usage.unused import finding_row, unused
from conntrail.policy.writer import Output, fail, print_rows, say

Files = Annotated[
    list[Path] | None,
    typer.Option("-f", "--filename", help="Objects in files instead of the cluster's; may be repeated."),
]
More = Annotated[list[Path] | None, typer.Argument(metavar="FILE", help="More of them, as a shell expands -f *.yaml.")]
Since = Annotated[str, typer.Option(help="From when: 24h ago, or a time as 2026-01-31T12:00:00Z.")]
Until = Annotated[str, typer.Option(help="Up to when, likewise; now without it.")]
Namespace = Annotated[str, typer.Option("-n", "--namespace", help="Only this namespace.")]
Source = Annotated[str, typer.Option(help="auto, elasticsearch or kafka: where the past is read.")]
Printed = Annotated[Output, typer.Option("-o", "--output", help="How to print.")]
_SOURCES = ("auto", "elasticsearch", "kafka")


def list_policies(
    filename: Files = None,
    more: More = None,
    since: Since = "",
    until: Until = "",
    namespace: Namespace = "",
    source: Source = "auto",
    output: Printed = Output.table,
) -> None:
    """List policies: what they select, what they decided, and by name whatever in them cannot be evaluated.

    From the cluster as Kafka tells of it, with the hits of the last 24 hours; from files, hits only with --since.
    """
    from conntrail.policy.cluster.reader import read_cluster  # noqa: PLC0415 - keeps --help fast
    from runtime.reader import read_settings  # noqa: PLC0415

    try:
        filename = [*(filename or ()), *(more or ())]
        snapshot = read_cluster(read_settings(), filename)
        hits = None
        if since or not filename:
            hits = past(since or "24h", until, source, is_hits_only=True)[1].hits
        show_notes(snapshot.notes)
        rows = list(policy_rows(snapshot, hits, namespace))
        if not rows:
            say("no policy among these objects")
        print_rows(rows, output)
    except CommandError as error:
        fail(error)


def show_hits(
    since: Since = "24h",
    until: Until = "",
    namespace: Namespace = "",
    source: Source = "auto",
    output: Printed = Output.table,
) -> None:
    """Show what each rule of each policy decided: connections, bytes, allowed, denied, when first and last."""
    try:
        period, history = past(since, until, source, is_hits_only=True)
        print_rows(hit_rows(history.hits, namespace), output, wide_only=frozenset({"tier", "flows", "first_seen"}))
        say(f"{period}, from {history.origin}")
    except CommandError as error:
        fail(error)


def show_unused(
    filename: Files = None,
    since: Since = "7d",
    until: Until = "",
    namespace: Namespace = "",
    source: Source = "auto",
    output: Printed = Output.table,
) -> None:
    """Show policies and rules that matched nothing, that others shadow, or that allow more than was used."""
    from conntrail.policy.cluster.reader import read_cluster  # noqa: PLC0415 - keeps --help fast
    from runtime.reader import read_settings  # noqa: PLC0415

    try:
        snapshot = read_cluster(read_settings(), filename)
        period, history = past(since, until, source)
        show_notes(snapshot.notes)
        print_rows([finding_row(finding) for finding in unused(snapshot, history, namespace)], output)
        say(f"{period}, from {history.origin}: {len(history.seen)} records of traffic")
    except CommandError as error:
        fail(error)


def past(since: str, until: str, source: str, **options: Any) -> tuple[Period, History]:
    """Read the past and tell what is missing of it. Raises CommandError."""
    from conntrail.policy.history.reader import read_history  # noqa: PLC0415 - keeps --help fast
    from runtime.reader import read_settings  # noqa: PLC0415

    if source not in _SOURCES:
        raise typer.BadParameter(f"expected {', '.join(_SOURCES)}", param_hint="--source")
    period = parse_period(since, until, int(time.time() * 1000))
    history = read_history(read_settings(), period, source, say, **options)
    show_notes(history.notes)
    return period, history


def show_notes(notes: tuple[str, ...]) -> None:
    """What the answer does not know of."""
    for note in notes:
        say(note)
