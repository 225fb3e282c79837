"""Prints documents as they come, or as a table of each type, and tells how complete they are."""

import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from textwrap import indent
from typing import Any, Final

import typer

from conntrail.observe.aggregate import Aggregate
from conntrail.observe.manner import Manner
from conntrail.observe.render import clock, first, human_bytes, in_zone
from conntrail.observe.view.table import view_of
from conntrail.observe.view.view import View
from conntrail.writer import print_table

Document = dict[str, Any]
_COVERAGES = ("complete", "lossy", "blind")
_PIECE: Final = 2000
"""Rows of a table: more are another one below it, for a table is known by its longest cells."""


class Printer:
    """Documents of some types, in some manner."""

    def __init__(self, views: Sequence[View], manner: Manner, does_follow: bool) -> None:
        self._views = views
        self._manner = manner
        self._does_follow = does_follow
        self._coverage: dict[str, Counter[str]] = {view.dataset.name: Counter() for view in views}

    def print(self, documents: Iterator[Document]) -> None:
        """What is followed ends with Ctrl-C."""
        try:
            self._print(self._counted(documents))
        except KeyboardInterrupt:
            if not self._does_follow:
                raise
        found = [view for view in self._views if self._coverage[view.dataset.name]]
        for view in found or self._views:
            _print_completeness(view, self._coverage[view.dataset.name])

    def _counted(self, documents: Iterator[Document]) -> Iterator[Document]:
        for document in documents:
            coverage = str(first(document, "flow.coverage") or "")
            known = coverage if coverage in _COVERAGES else ""
            self._coverage.setdefault(view_of(document).dataset.name, Counter())[known] += 1
            yield document

    def _print(self, documents: Iterator[Document]) -> None:
        manner = self._manner
        if manner.keys:
            _print_sums(documents, manner)
        elif self._does_follow or manner.form in ("compact", "jsonl"):
            for document in documents:
                line = json.dumps(manner.fields(document)) if manner.is_json else _line(document, manner)
                sys.stdout.write(f"{line}\n")
                if self._does_follow:
                    sys.stdout.flush()
            sys.stdout.flush()
        elif manner.is_json:
            _print_list(manner.fields(document) for document in documents)
        else:
            shown = (in_zone(document, manner.zone) for document in documents)
            piece = list(islice(shown, _PIECE))
            _print_tables(piece, self._views, is_wide=manner.form == "wide")
            while piece := list(islice(shown, _PIECE)):
                _print_tables(piece, self._views, is_wide=manner.form == "wide")


def _line(document: Document, manner: Manner) -> str:
    return view_of(document).compact(in_zone(document, manner.zone))


def _print_list(documents: Iterator[Document]) -> None:
    """One JSON document, as it comes."""
    separator = "["
    for document in documents:
        typer.echo(f"{separator}\n{indent(json.dumps(document, indent=2), '  ')}", nl=False)
        separator = ","
    typer.echo("[]" if separator == "[" else "\n]")


def _print_sums(documents: Iterator[Document], manner: Manner) -> None:
    sums = Aggregate(manner.keys)
    for document in documents:
        sums.add(document)
    if manner.form == "json":
        typer.echo(json.dumps(sums.rows(), indent=2))
    elif manner.form == "jsonl":
        for row in sums.rows():
            typer.echo(json.dumps(row))
    else:
        rows = [
            {
                **row,
                "bytes": human_bytes(row["bytes"]),
                "last": clock(in_zone({"@timestamp": row["last"]}, manner.zone)),
            }
            for row in sums.rows()
        ]
        print_table((*manner.keys, "count", "bytes", "last"), [[str(cell) for cell in row.values()] for row in rows])
    if sums.beyond:
        typer.echo(f"INCOMPLETE: too many groups; {sums.beyond} are counted together: narrow the filters", err=True)


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
