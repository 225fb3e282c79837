"""Prints a report, and what became of a check."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Final

import typer

from conntrail.policy.writer import Output as RowOutput
from conntrail.policy.writer import print_rows
from conntrail.report.chain.difference import SectionChange
from conntrail.report.chain.manifest import Entry
from conntrail.report.evidence.report import Report
from conntrail.report.evidence.section import Row, Section
from conntrail.report.evidence.words import completeness_words, status_words, summary_words
from conntrail.report.render.csv_file import csv_table
from conntrail.report.render.html_file import html_file
from conntrail.report.render.json_file import json_file
from conntrail.text import printable
from conntrail.writer import print_table

SHOWN_ROWS: Final = 20
"""Of a section in the terminal's plain table."""


class Output(StrEnum):
    """How a report is printed."""

    table = "table"
    wide = "wide"
    json = "json"
    jsonl = "jsonl"
    html = "html"
    csv = "csv"


def print_report(report: Report, output: Output, names: Sequence[str]) -> None:
    """``names``: sections, in their order; CSV is of one."""
    tables = [(section, rows) for section, rows in report.tables() if section.name in names]
    match output:
        case Output.html:
            _put(html_file(report).content)
        case Output.json:
            _put(json_file(report).content + b"\n")
        case Output.csv:
            for section, rows in tables:
                _put(csv_table(section, rows))
        case Output.jsonl:
            for section, rows in tables:
                for row in rows:
                    typer.echo(json.dumps({"section": section.name, **row}))
        case _:
            _print_tables(report, tables, is_wide=output is Output.wide)


def print_entries(entries: Iterable[Entry], changes: Mapping[str, Sequence[SectionChange]], output: RowOutput) -> None:
    """``changes``: what an amendment changed, by its directory."""
    rows = [
        {
            "directory": entry.directory,
            "state": "amendment" if entry.revision else "final" if entry.is_final else "provisional",
            "files": len(entry.files),
            "bytes": sum(file.size_bytes for file in entry.files),
            "changed": [str(change) for change in changes.get(entry.directory, ())],
            "sha256": entry.sha256,
        }
        for entry in entries
    ]
    print_rows(rows, output)


def say(text: str) -> None:
    """What is no part of the answer."""
    typer.echo(printable(text), err=True)


def _print_tables(report: Report, tables: Sequence[tuple[Section, Sequence[Row]]], *, is_wide: bool) -> None:
    typer.echo(printable(status_words(report)))
    print_table(("figure", "value"), [*completeness_words(report), *summary_words(report)])
    for section, rows in tables:
        typer.echo(f"\n{section.title}: {len(rows)}" if rows else f"\n{section.title}: {section.nothing}")
        columns = [column for column in section.columns if is_wide or not column.is_wide]
        shown = rows if is_wide else rows[:SHOWN_ROWS]
        if shown:
            headings = [column.heading for column in columns]
            print_table(headings, [[_cell(row[column.name]) for column in columns] for row in shown])
        if len(shown) < len(rows):
            typer.echo(f"… and {len(rows) - len(shown)} more: -o wide, or --section {section.name} -o csv")


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "\n".join(map(str, value)) if isinstance(value, list) else str(value)


def _put(content: bytes) -> None:
    """As they are: what is hashed must not be translated."""
    sys.stdout.flush()
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()
