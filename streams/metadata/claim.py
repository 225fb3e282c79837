"""Who held which address when: claims, cut so that no two of them overlap.

An address can be given to another pod within seconds. The latest assignment wins from its instant on, whatever the
one before it says later, so that a flow of an earlier instant still gets the name of then and no other.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

import polars as pl

ENDLESS_NS: Final = 2**63 - 1
CLAIMS: Final = {
    "address": pl.String(),
    "valid_from_ns": pl.Int64(),
    "valid_to_ns": pl.Int64(),
    "index": pl.UInt32(),
}


class Claim(NamedTuple):
    """One endpoint's hold on one address, [from, to)."""

    address: str
    valid_from_ns: int
    valid_to_ns: int
    assigned_at_ns: int
    """Begin of the whole tenure, of which this may be a part: a pod keeps its address when its labels change."""
    known_from_ns: int
    """First observation of the holder: decides between two assignments in the same instant."""
    holder: int
    endpoint: int
    """Index of the endpoint."""


TENURES: Final = {
    "address": pl.String(),
    "valid_from_ns": pl.Int64(),
    "valid_to_ns": pl.Int64(),
    "assigned_at_ns": pl.Int64(),
    "known_from_ns": pl.Int64(),
    "holder": pl.Int64(),
    "index": pl.UInt32(),
}


def claim_frame(claims: Iterable[Claim]) -> pl.DataFrame:
    """Claims as columns."""
    return pl.DataFrame(list(claims), schema=TENURES, orient="row")


def settle(claims: pl.DataFrame) -> pl.DataFrame:
    """CLAIMS, sorted by address and time, each tenure cut where the next of its address begins."""
    ordered = claims.sort("address", "assigned_at_ns", "known_from_ns", "holder", "valid_from_ns")
    following = ordered.select(
        pl.when(pl.col("address") != pl.col("address").shift(-1, fill_value=""))
        .then(ENDLESS_NS)
        .when(pl.any_horizontal(pl.col(name) != pl.col(name).shift(-1) for name in ("holder", "assigned_at_ns")))
        .then(pl.col("assigned_at_ns").shift(-1))
        .backward_fill()
        .alias("following")
    )["following"]
    cut = ordered.with_columns(pl.min_horizontal("valid_to_ns", following).alias("valid_to_ns"))
    return cut.filter(pl.col("valid_from_ns") < pl.col("valid_to_ns")).select(*CLAIMS)
