"""A report as one HTML file that needs nothing else: no script, no picture, nothing that is fetched.

Names come from whoever made them: each is escaped where it is put in, and control characters are shown as escapes.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import Final

from conntrail.report.evidence.control import CONTROLS
from conntrail.report.evidence.report import Report, stamp
from conntrail.report.evidence.section import BY_NAME, Column, Row, Section, Value
from conntrail.report.evidence.words import LEVELS, completeness_words, status_words, summary_words
from conntrail.report.render.part import File, file_of
from conntrail.report.render.style import STYLE
from conntrail.text import printable

NAME: Final = "report.html"
MAXIMUM_ROWS: Final = 5000
"""Of a section: a browser lays out more only slowly, and nobody prints it. CSV and JSON hold all."""
_TO_THE_SECOND: Final = len("2026-01-31T12:00:00")
_BREAKS: Final = re.compile(r"[/:](?=[^/:])")
_LONG: Final = re.compile(r"[^\s/:]{40}")
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"


def html_file(report: Report, digest: str = "", maximum_rows: int = MAXIMUM_ROWS) -> File:
    """``digest`` is SHA-256 of the canonical JSON that says the same; empty when there is no such file beside it."""
    pieces = _pieces(report, digest, maximum_rows)
    return file_of(NAME, [(name, text.encode("utf-8", "replace")) for name, text in pieces])


def _pieces(report: Report, digest: str, maximum_rows: int) -> Iterator[tuple[str, str]]:
    yield "head", _head(report)
    yield "completeness", _completeness(report)
    yield "summary", _heading("summary", "In figures") + _pairs(summary_words(report))
    for section, rows in report.tables():
        yield section.name, _section(section, rows, maximum_rows)
    yield "controls", _controls()
    yield "end", _verification(digest) + "</main>\n</body>\n</html>\n"


def _head(report: Report) -> str:
    title = f"Network evidence of {_text(str(report.scope))}"
    contents = "".join(f'<li><a href="#{name}">{_text(words)}</a></li>' for name, words in _contents(report))
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}, {stamp(report.since_ms)} to {stamp(report.until_ms)}</title>\n"
        f"<style>{STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n<h1>{title}</h1>\n"
        f"<p>{stamp(report.since_ms)} to {stamp(report.until_ms)}; all times are UTC</p>\n"
        f'<p><span class="state {report.state}">{report.state}</span> {_text(status_words(report))}</p>\n'
        f"<nav><ol>{contents}</ol></nav>\n"
    )


def _contents(report: Report) -> Iterator[tuple[str, str]]:
    yield "completeness", "How complete this is"
    yield "summary", "In figures"
    for section, rows in report.tables():
        yield section.name, f"{section.title} ({len(rows)})"
    yield "controls", "Which requirement each section is evidence for"
    yield "verification", "How to check this report"


def _completeness(report: Report) -> str:
    level = str(report.completeness["level"])
    return (
        _heading("completeness", "How complete this is")
        + f'<p><span class="state {_text(level)}">{_text(level)}</span> {_text(LEVELS.get(level, ""))}</p>\n'
        + _pairs(completeness_words(report))
    )


def _section(section: Section, rows: Sequence[Row], maximum_rows: int) -> str:
    begin = _heading(section.name, section.title) + f'<p class="pale">{_text(section.purpose)}</p>\n'
    if not rows:
        return begin + f'<p class="none">{_text(section.nothing)}</p>\n'
    columns = _columns(section, rows)
    heads = "".join(f"<th{_class(column)}>{_text(column.heading)}</th>" for column in columns)
    body = "".join(_row(columns, row) for row in rows[:maximum_rows])
    end = f"<table>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{body}</tbody>\n</table>\n"
    left = len(rows) - maximum_rows
    if left > 0:
        end += f'<p class="none">{left} more rows: {_text(section.name)}.csv and report.json hold all of them.</p>\n'
    return begin + end


def _columns(section: Section, rows: Sequence[Row]) -> list[Column]:
    """Paper is narrow: what no row says anything in is left out."""
    return [
        column
        for column in section.columns
        if column.is_paper and any(row[column.name] not in ("", []) for row in rows)
    ]


def _row(columns: Iterable[Column], row: Row) -> str:
    return f"<tr>{''.join(f'<td{_class(column)}>{_cell(column, row[column.name])}</td>' for column in columns)}</tr>\n"


def _cell(column: Column, value: Value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return "<br>".join(map(_breakable, value))
    if column.kind == "time":
        return _text(str(value)[:_TO_THE_SECOND].replace("T", " "))
    return _breakable(str(value))


def _breakable(text: str) -> str:
    """A name may be broken after its parts, and a part that no name has the length of anywhere."""
    broken = _BREAKS.sub(r"\g<0><wbr>", _text(text))
    return f'<span class="long">{broken}</span>' if _LONG.search(text) else broken


def _class(column: Column) -> str:
    return f' class="{column.kind}"' if column.kind in ("number", "time") else ""


def _controls() -> str:
    rows = "".join(
        f"<tr><td>{_text(control.question)}</td><td>{_text(control.requirements)}</td>"
        f"<td>{_links(control.sections)}</td></tr>\n"
        for control in CONTROLS
    )
    heads = "<th>Question</th><th>Requirements</th><th>Look at</th>"
    return (
        _heading("controls", "Which requirement each section is evidence for")
        + '<p class="pale">Where to look. Whether a requirement is met is for the assessor to say.</p>\n'
        + f"<table>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n"
    )


def _links(names: Sequence[str]) -> str:
    if not names:
        return '<a href="#verification">How to check this report</a>'
    return "<br>".join(f'<a href="#{name}">{_text(BY_NAME[name].title)}</a>' for name in names)


def _verification(digest: str) -> str:
    begin = _heading("verification", "How to check this report")
    if not digest:
        return begin + "<p>It is no part of a chain. <code>conntrail report --directory</code> makes one that is.</p>\n"
    return begin + (
        "<p>This page was made of <code>report.json</code>, whose SHA-256 is</p>\n"
        f"<p><code>{_text(digest)}</code></p>\n"
        "<p><code>conntrail report verify DIRECTORY</code> checks every byte of every day and that no day is missing. "
        "The hash of the last entry, written down where the keeper of the files cannot change it, tells that none was "
        "rewritten: <code>--head HASH</code>.</p>\n"
    )


def _heading(name: str, words: str) -> str:
    return f'<h2 id="{name}">{_text(words)}</h2>\n'


def _pairs(pairs: Iterable[tuple[str, str]]) -> str:
    return f"<dl>\n{''.join(f'<dt>{_text(name)}</dt><dd>{_text(words)}</dd>' for name, words in pairs)}</dl>\n"


def _text(text: str) -> str:
    return escape(printable(text))
