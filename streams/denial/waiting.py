"""Which denials are here and not told yet: bounded in time, in the order in which they came."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from streams.denial.evaluate import told_denials
from streams.source.part import Part, PartName

PATIENCE_NS: Final = 2_000_000_000
"""How long a denial waits for the names and policies of its time: alerts have five seconds in all."""


@dataclass(slots=True)
class _Held:
    offset: int
    came_at_ns: int
    rows: pl.DataFrame


class Waiting:
    """The parts of one partition whose rows are not all told. Times are Unix, ns."""

    def __init__(self) -> None:
        self._parts: dict[PartName, _Held] = {}

    def __len__(self) -> int:
        return len(self._parts)

    def add(self, part: Part, now_ns: int) -> bool:
        """Hold a part; False when it is held already."""
        if part.name in self._parts:
            return False
        self._parts[part.name] = _Held(part.offset, now_ns, told_denials(part.rows))
        return True

    def rows(self) -> pl.DataFrame:
        """All rows, the parts one after the other."""
        return pl.concat([held.rows for held in self._parts.values()])

    def is_over(self, now_ns: int) -> pl.Series:
        """Whether each of these rows has waited long enough."""
        ages = [now_ns - held.came_at_ns for held in self._parts.values()]
        heights = [held.rows.height for held in self._parts.values()]
        return pl.Series("is_over", np.repeat(np.array(ages, np.int64) >= PATIENCE_NS, heights))

    def keep(self, is_kept: pl.Series) -> None:
        """Go on holding these of the rows; parts without any are given back."""
        start = 0
        for name, held in list(self._parts.items()):
            height = held.rows.height
            held.rows = held.rows.filter(is_kept.slice(start, height))
            start += height
            if not held.rows.height:
                del self._parts[name]

    def offsets(self) -> Iterator[int]:
        """Of the parts that are held."""
        return (held.offset for held in self._parts.values())
