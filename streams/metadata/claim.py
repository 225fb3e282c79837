"""Who held which address when: claims, cut so that no two of them overlap.

An address can be given to another pod within seconds. The latest assignment wins from its instant on, so that a flow
of an earlier instant still gets the name of then.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import polars as pl

ENDLESS_NS: Final = 2**63 - 1
CLAIMS: Final = {
    "address": pl.String(),
    "valid_from_ns": pl.Int64(),
    "valid_to_ns": pl.Int64(),
    "index": pl.UInt32(),
}


@dataclass(frozen=True, slots=True, order=True)
class Claim:
    """One endpoint's hold on one address, [from, to)."""

    address: str
    valid_from_ns: int
    assigned_at_ns: int
    valid_to_ns: int
    index: int


def claim_frame(claims: Iterable[Claim]) -> pl.DataFrame:
    """Claims as columns, sorted by address and time, each cut where the next of its address begins."""
    ordered = sorted(claims)
    frame = pl.DataFrame(
        {
            "address": [claim.address for claim in ordered],
            "valid_from_ns": [claim.valid_from_ns for claim in ordered],
            "valid_to_ns": [claim.valid_to_ns for claim in ordered],
            "index": [claim.index for claim in ordered],
        },
        schema=CLAIMS,
    )
    following = pl.col("valid_from_ns").shift(-1).over("address").fill_null(ENDLESS_NS)
    return frame.with_columns(pl.min_horizontal("valid_to_ns", following).alias("valid_to_ns")).filter(
        pl.col("valid_from_ns") < pl.col("valid_to_ns")
    )
