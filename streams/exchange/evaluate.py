"""A part from rows to what counts of them: named, without echoes and what is not watched."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from streams.exchange.echo import is_echo
from streams.exchange.name import name
from streams.exchange.report import Reports
from streams.exchange.watched import are_watched
from streams.metadata.directory import Directory


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a part says."""

    rows: pl.DataFrame
    """Named; ``row`` is the place in the part, which identifies a row for ever."""
    echoes: int
    """Exchanges that another node counted."""
    unwatched: int = 0
    """Exchanges of namespaces that are not watched."""


def evaluate_part(
    rows: pl.DataFrame, reports: Reports, directory: Directory, namespaces: Sequence[str] = ()
) -> Evaluation:
    """``rows``: of a part, ``protocol`` as IANA number; ``namespaces`` that are watched, none for all.

    The same arguments give the same rows, in the same order.
    """
    named = name(rows.with_row_index("row"), directory)
    echo = is_echo(named, reports, directory)
    counted = named.filter(~echo)
    watched = are_watched(counted, directory, namespaces)
    return Evaluation(
        counted.filter(watched), int(named["count"].filter(echo).sum()), int(counted["count"].filter(~watched).sum())
    )
