"""Which exchanges are kept, where an operator wants those of some namespaces only."""

from collections.abc import Sequence
from fnmatch import fnmatchcase

import polars as pl

from streams.metadata.directory import Directory


def are_watched(rows: pl.DataFrame, directory: Directory, namespaces: Sequence[str]) -> pl.Series:
    """For each named row whether an end of it is in one of the namespaces (``*`` and ``?`` as in a shell); no
    namespaces mean all rows.
    """
    if not namespaces:
        return pl.repeat(value=True, n=rows.height, dtype=pl.Boolean, eager=True)
    ends = pl.concat([rows["source_index"], rows["destination_index"]]).drop_nulls().unique()
    watched = [end for end in ends.to_list() if _is_like(directory.endpoints[end].namespace, namespaces)]
    is_source, is_destination = (
        rows[name].is_in(watched).fill_null(value=False) for name in ("source_index", "destination_index")
    )
    return is_source | is_destination


def _is_like(namespace: str, patterns: Sequence[str]) -> bool:
    return bool(namespace) and any(fnmatchcase(namespace, pattern) for pattern in patterns)
