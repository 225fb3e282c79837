"""Prints tables, for a person or a pipe, of whatever text."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from conntrail.text import printable

_PIPE_WIDTH: Final = 1000
"""A pipe has no width: nothing is folded or cut there."""


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]], styles: Mapping[str, str] | None = None) -> None:
    """Print rows below headings; a cell may hold several lines, and no letter of it drives the terminal.

    ``styles``: how cells with exactly this text look on a terminal, in words of rich.
    """
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        table.add_column(column.upper(), overflow="fold")
    for row in rows:
        table.add_row(*(_cell(cell, (styles or {}).get(cell, "")) for cell in row))
    console = Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH)
    with console.capture() as capture:
        console.print(table)
    for line in capture.get().splitlines():
        sys.stdout.write(line.rstrip() + "\n")


def _cell(text: str, style: str) -> Text:
    return Text("\n".join(map(printable, text.split("\n"))), style=style)
