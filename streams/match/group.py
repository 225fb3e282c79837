"""Rows that belong together, as places in a frame: what a group adds up to, and which of its rows says something."""

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

Numbers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


def differ(ordered: npt.NDArray[Any]) -> Flags:
    """Whether each differs from the one before it; the first does."""
    return np.concatenate((np.ones(min(len(ordered), 1), np.bool_), ordered[1:] != ordered[:-1]))


class Groups:
    """``order``: places of all rows, group after group. ``is_first``: where in that order a group begins."""

    def __init__(self, order: Numbers, is_first: Flags) -> None:
        self._order = order
        self._starts = np.flatnonzero(is_first)

    def __len__(self) -> int:
        return len(self._starts)

    @property
    def first(self) -> Numbers:
        """Place of each group's first row."""
        return self._order[self._starts]

    @property
    def last(self) -> Numbers:
        """Place of each group's last row."""
        last: Numbers = self._order[np.append(self._starts[1:], len(self._order))[: len(self._starts)] - 1]
        return last

    @property
    def sizes(self) -> Numbers:
        """Rows of each group."""
        sizes: Numbers = np.diff(np.append(self._starts, len(self._order)))
        return sizes

    def members(self, group: int) -> Numbers:
        """Places of one group's rows."""
        end = self._starts[group + 1] if group + 1 < len(self._starts) else len(self._order)
        return self._order[self._starts[group] : end]

    def sum(self, column: pl.Series) -> Numbers:
        """Sum of each group."""
        return self._reduce(np.add, column)

    def max(self, column: pl.Series) -> Numbers:
        """Greatest of each group; of flags, whether one is set."""
        return self._reduce(np.maximum, column)

    def min(self, column: pl.Series) -> Numbers:
        """Least of each group."""
        return self._reduce(np.minimum, column)

    def union(self, column: pl.Series) -> Numbers:
        """All bits that are set in each group."""
        return self._reduce(np.bitwise_or, column)

    def first_told(self, columns: pl.DataFrame) -> pl.DataFrame:
        """Of each group, the first row that says anything in these columns."""
        return columns[self._telling(columns, np.minimum, len(self._order), self.first)]

    def last_told(self, columns: pl.DataFrame) -> pl.DataFrame:
        """Of each group, the last row that says anything in these columns."""
        return columns[self._telling(columns, np.maximum, -1, self.last)]

    def spread(self, values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
        """A group's value for every row of it, in the frame's order."""
        rows = np.empty(len(self._order), values.dtype)
        rows[self._order] = np.repeat(values, self.sizes)
        return rows

    def _telling(self, columns: pl.DataFrame, choose: np.ufunc, nothing: int, otherwise: Numbers) -> Numbers:
        filled = [name for name in columns.columns if columns[name].null_count() < columns.height]
        if not filled:
            return otherwise
        is_told = columns.select(pl.any_horizontal(pl.col(filled).is_not_null())).to_series().to_numpy()
        places = np.where(is_told[self._order], np.arange(len(self._order)), nothing)
        chosen = choose.reduceat(places, self._starts)
        is_there = chosen != nothing
        return np.where(is_there, self._order[np.where(is_there, chosen, 0)], otherwise)

    def _reduce(self, ufunc: np.ufunc, column: pl.Series) -> Numbers:
        values = column.cast(pl.Int64).to_numpy()[self._order]
        reduced: Numbers = ufunc.reduceat(values, self._starts) if len(self) else np.zeros(0, np.int64)
        return reduced
