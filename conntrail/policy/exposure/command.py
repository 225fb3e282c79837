"""`conntrail policy gaps`."""

import json

import typer

from conntrail.errors import CommandError
from conntrail.policy.exposure.egress import insecure_egress, insecurity_row
from conntrail.policy.exposure.gap import gap_row, gaps
from conntrail.policy.exposure.lateral import lateral_movement, reach_row
from conntrail.policy.usage.command import Files, Namespace, Printed, Since, Source, Until, past, show_notes
from conntrail.policy.writer import Output, fail, print_rows, say

_TITLES = {
    "gaps": "Workloads that no policy selects, the most exposed first",
    "insecure_egress": "Insecure egress",
    "lateral_movement": "Lateral movement: reachable under the policies, against used",
}


def show_gaps(
    filename: Files = None,
    since: Since = "7d",
    until: Until = "",
    namespace: Namespace = "",
    source: Source = "auto",
    output: Printed = Output.table,
) -> None:
    """Show what policies leave open: unselected workloads, insecure egress, ways for lateral movement.

    With -o json one document with these three lists; with jsonl one finding a line, its list named by "kind".
    """
    from conntrail.policy.cluster.reader import read_cluster  # noqa: PLC0415 - keeps --help fast
    from runtime.reader import read_settings  # noqa: PLC0415

    try:
        snapshot = read_cluster(read_settings(), filename)
        period, history = past(since, until, source)
        reaches, notes = lateral_movement(snapshot, history, namespace)
    except CommandError as error:
        fail(error)
        return
    show_notes((*snapshot.notes, *notes))
    found: dict[str, list[dict[str, object]]] = {
        "gaps": [gap_row(gap) for gap in gaps(snapshot, history, namespace)],
        "insecure_egress": [insecurity_row(item) for item in insecure_egress(snapshot, history, namespace)],
        "lateral_movement": [reach_row(reach) for reach in reaches],
    }
    _print(found, output)
    say(f"{period}, from {history.origin}: {len(history.seen)} records of traffic")


def _print(found: dict[str, list[dict[str, object]]], output: Output) -> None:
    if output is Output.json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    for kind, rows in found.items():
        if output is Output.jsonl:
            print_rows([{"kind": kind, **row} for row in rows], output)
            continue
        typer.echo(f"\n{_TITLES[kind]}: {len(rows)}")
        if rows:
            print_rows(rows, output, wide_only=frozenset({"seen_peers", "unused_doors"}))
