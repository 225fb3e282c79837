"""A part from rows to what counts of them: named, echoes dropped."""

from dataclasses import dataclass

import polars as pl

from streams.exchange.echo import is_echo
from streams.exchange.name import name
from streams.exchange.report import Reports
from streams.metadata.directory import Directory


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a part says."""

    rows: pl.DataFrame
    """Named; ``row`` is the place in the part, which identifies a row for ever."""
    echoes: int
    """Exchanges that another node counted."""


def evaluate_part(rows: pl.DataFrame, reports: Reports, directory: Directory) -> Evaluation:
    """``rows``: of a part, ``protocol`` as IANA number. The same arguments give the same rows, in the same order."""
    named = name(rows.with_row_index("row"), directory)
    echo = is_echo(named, reports, directory)
    return Evaluation(named.filter(~echo), int(named["count"].filter(echo).sum()))
