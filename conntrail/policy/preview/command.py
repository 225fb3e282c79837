"""`conntrail policy preview`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from conntrail.errors import CommandError
from conntrail.policy.preview.change import changed
from conntrail.policy.preview.finding import finding_row, findings
from conntrail.policy.preview.report import markdown, summary
from conntrail.policy.usage.command import More, Namespace, Since, Source, Until, past, show_notes
from conntrail.policy.writer import Output, fail, print_rows, say


class PreviewOutput(StrEnum):
    """How a preview is printed."""

    table = "table"
    wide = "wide"
    json = "json"
    jsonl = "jsonl"
    markdown = "markdown"


_Changes = Annotated[
    list[Path], typer.Option("-f", "--filename", help="Policies to apply, a file or a directory; may be repeated.")
]
_Objects = Annotated[
    list[Path] | None, typer.Option(help="The cluster as objects in files, instead of what Kafka tells of it.")
]
_Delete = Annotated[bool, typer.Option("--delete", help="The policies are deleted instead of applied.")]


def preview(
    filename: _Changes,
    more: More = None,
    objects: _Objects = None,
    delete: _Delete = False,
    since: Since = "24h",
    until: Until = "",
    namespace: Namespace = "",
    source: Source = "auto",
    output: Annotated[PreviewOutput, typer.Option("-o", "--output", help="How to print.")] = PreviewOutput.table,
) -> None:
    """Replay history against changed policies: what would break, what would be let through.

    Exit status 1 when anything that was seen allowed would be denied, 0 when nothing would, so that it can guard a
    pull request.
    """
    from conntrail.policy.cluster.build import policies_of  # noqa: PLC0415 - keeps --help fast
    from conntrail.policy.cluster.reader import read_cluster  # noqa: PLC0415 - keeps --help fast
    from runtime.reader import read_settings  # noqa: PLC0415

    try:
        settings = read_settings()
        given = read_cluster(settings, [*filename, *(more or ())]).objects
        snapshot = read_cluster(settings, objects)
        after = policies_of(changed(snapshot.objects, given, is_deleted=delete))
        period, history = past(since, until, source)
    except CommandError as error:
        fail(error)
        return
    show_notes(snapshot.notes)
    found = list(findings(history, snapshot, after, namespace))
    if output is PreviewOutput.markdown:
        typer.echo(markdown(found, len(history.seen), str(period)), nl=False)
    else:
        print_rows(map(finding_row, found), Output(output.value), wide_only=frozenset({"bytes", "last_seen"}))
    say(f"{period}, from {history.origin}: {summary(found, len(history.seen))}")
    raise typer.Exit(any(finding.effect == "breaks" for finding in found))
