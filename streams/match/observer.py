"""Which nodes reported each connection."""

import numpy as np
import polars as pl

from streams.match.group import Groups, Numbers


def observers(rows: pl.DataFrame, groups: Groups) -> pl.Series:
    """Names of the nodes, sorted. Nearly always one node or both ends' nodes, which make lists of one length."""
    numbers = rows["node_number"]
    names = rows["node"].unique().sort()
    least, greatest = groups.min(numbers), groups.max(numbers)
    is_larger = groups.sizes > 2  # noqa: PLR2004 - a node between the ends, or an address translated on the way
    single = np.flatnonzero((least == greatest) & ~is_larger)
    double = np.flatnonzero((least != greatest) & ~is_larger)
    larger = np.flatnonzero(is_larger)
    lists = pl.concat(
        [
            _lists(names, least[single, None]),
            _lists(names, np.stack((least[double], greatest[double]), axis=1)),
            pl.Series([_sorted(names, rows, groups.members(group)) for group in larger.tolist()], dtype=_LIST),
        ]
    )
    places = np.empty(len(groups), np.int64)
    places[np.concatenate((single, double, larger))] = np.arange(len(groups))
    return lists.gather(pl.Series(places))


_LIST = pl.List(pl.String())


def _lists(names: pl.Series, numbers: Numbers) -> pl.Series:
    if not len(numbers):
        return pl.Series([], dtype=_LIST)
    return names.gather(pl.Series(numbers.ravel())).reshape(numbers.shape).cast(_LIST)


def _sorted(names: pl.Series, rows: pl.DataFrame, members: Numbers) -> list[str]:
    return sorted({names[number] for number in rows["node_number"].gather(members)})
