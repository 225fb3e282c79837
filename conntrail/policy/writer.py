"""How `conntrail policy` prints its answers. Names come from whoever made them: control characters never pass."""

import json
from collections.abc import Iterable, Mapping
from enum import StrEnum

import typer

from conntrail.errors import CommandError
from conntrail.text import printable
from conntrail.writer import print_table

Row = Mapping[str, object]


class Output(StrEnum):
    """How answers are printed."""

    table = "table"
    wide = "wide"
    json = "json"
    jsonl = "jsonl"


def print_rows(rows: Iterable[Row], output: Output, *, wide_only: frozenset[str] = frozenset()) -> None:
    """``wide_only`` columns are left out of the plain table."""
    if output is Output.jsonl:
        for row in rows:
            typer.echo(json.dumps(row, ensure_ascii=False))
    elif output is Output.json:
        typer.echo(json.dumps(list(rows), ensure_ascii=False, indent=2))
    else:
        hidden = frozenset[str]() if output is Output.wide else wide_only
        shown = [{name: _cell(value) for name, value in row.items() if name not in hidden} for row in rows]
        if shown:
            print_table(list(shown[0]), [list(row.values()) for row in shown])


def say(text: str) -> None:
    """What is no part of the answer."""
    typer.echo(printable(text), err=True)


def fail(error: CommandError) -> None:
    """One line, exit 1."""
    typer.echo(f"conntrail policy: {error}", err=True)
    raise typer.Exit(1)


def _cell(value: object) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{key}: {_cell(item)}" for key, item in value.items() if item not in ([], ""))
    if isinstance(value, list):
        return "\n".join(map(str, value))
    return str(value)
