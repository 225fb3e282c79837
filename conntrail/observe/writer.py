"""Prints documents as they come, or as a table of each type, and tells how complete they are."""

import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import typer

from conntrail.observe.render import first
from conntrail.observe.view.table import view_of
from conntrail.observe.view.view import View
from conntrail.writer import print_table

Document = dict[str, Any]


def print_documents(documents: Iterator[Document], views: Sequence[View], output: str, does_follow: bool) -> None:
    """``output``: compact, table, wide, json or jsonl. What is followed ends with Ctrl-C."""
    coverage: dict[str, Counter[str]] = {view.dataset.name: Counter() for view in views}
    seen: list[Document] = []
    is_streamed = output in ("compact", "jsonl") or does_follow
    try:
        for document in documents:
            view = view_of(document)
            coverage.setdefault(view.dataset.name, Counter())[str(first(document, "flow.coverage") or "")] += 1
            if is_streamed:
                typer.echo(json.dumps(document) if output in ("json", "jsonl") else view.compact(document))
                sys.stdout.flush()
            else:
                seen.append(document)
    except KeyboardInterrupt:
        if not does_follow:
            raise
    if output == "json" and not does_follow:
        typer.echo(json.dumps(seen, indent=2))
    elif not is_streamed:
        _print_tables(seen, views, is_wide=output == "wide")
    for view in views:
        _print_completeness(view, coverage[view.dataset.name])


def _print_tables(documents: list[Document], views: Sequence[View], is_wide: bool) -> None:
    """One for each type that was found; when nothing was, the headings of the first."""
    found = [(view, [document for document in documents if view_of(document) is view]) for view in views]
    for view, rows in [(view, rows) for view, rows in found if rows] or found[:1]:
        print_table(view.headings(is_wide), [view.row(document, is_wide) for document in rows])


def _print_completeness(view: View, coverage: Counter[str]) -> None:
    """What the nodes could see, so that few are never mistaken for little traffic."""
    words = view.counted(coverage.total())
    partly = ", ".join(f"{count} {name}" for name, count in sorted(coverage.items()) if name not in ("", "complete"))
    if not coverage.total() or set(coverage) == {""}:
        typer.echo(words, err=True)
    elif partly:
        typer.echo(f"{words}, INCOMPLETE: {partly}; the metrics conntrail_agent_… of those nodes say why", err=True)
    else:
        typer.echo(f"{words}; the reporting nodes saw everything", err=True)
