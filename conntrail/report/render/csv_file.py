"""A section as CSV (RFC 4180), which spreadsheets read; no cell of it is a formula."""

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any, Final

from conntrail.report.evidence.report import Report
from conntrail.report.evidence.section import Row, Section, Value
from conntrail.report.render.part import File, file_of
from conntrail.text import printable

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the begin of a formula (OWASP, CSV injection)."""


def csv_files(report: Report) -> list[File]:
    """One a section, and one of the figures that stand before them."""
    files = [file_of("summary.csv", [("summary", _table(("figure", "value"), figures(report)))])]
    for section, rows in report.tables():
        files.append(file_of(f"{section.name}.csv", [(section.name, csv_table(section, rows))]))
    return files


def csv_table(section: Section, rows: Iterable[Row]) -> bytes:
    """With a line of names, which are those of JSON."""
    names = [column.name for column in section.columns]
    return _table(names, ([row[name] for name in names] for row in rows))


def figures(report: Report) -> list[tuple[str, Value]]:
    """What stands before the sections, one figure a line, named as JSON nests it."""
    document = report.document()
    names = ("scope", "period", "status", "completeness", "summary")
    return [item for name in names for item in _flat(name, document[name])]


def _flat(path: str, value: Any) -> list[tuple[str, Value]]:
    if not isinstance(value, Mapping):
        return [(path, value)]
    return [item for name, inner in value.items() for item in _flat(f"{path}.{name}", inner)]


def _table(names: Iterable[str], rows: Iterable[Iterable[Value]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(names)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue().encode("utf-8", errors="replace")


def _cell(value: Value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return str(value)
    told = printable(value if isinstance(value, str) else "; ".join(value))
    return f"'{told}" if told.startswith(_FORMULA) else told
