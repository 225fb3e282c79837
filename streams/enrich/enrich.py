"""Raw rows named: the real ends after NAT is undone, who held their addresses then, and the Service that was dialled.

A connection keeps the identity of its start, so a long one is never renamed and a replay gives the same names.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from streams.metadata.directory import Directory
from streams.metadata.timeline import NONE, Numbers

Flags = npt.NDArray[np.bool_]
TOLERANCE_NS: Final = 2_000_000_000
"""A pod's first packet can be some time ahead of the observation of its address."""
ENRICHED: Final = {
    "source_address": pl.String(),
    "source_port": pl.Int32(),
    "destination_address": pl.String(),
    "destination_port": pl.Int32(),
    "nat_address": pl.String(),
    "nat_port": pl.Int32(),
    "dialled_address": pl.String(),
    "dialled_port": pl.Int32(),
    "source_index": pl.UInt32(),
    "destination_index": pl.UInt32(),
    "service_index": pl.UInt32(),
    "direction": pl.String(),
    "role": pl.String(),
}
"""Columns that are added. ``nat_…``: the source as the destination saw it, where that differs. ``dialled_…``: what the
source dialled, where that is not who answered. Indices are null where nobody had the address."""
_DIRECTIONS: Final = pl.Series(["external", "inbound", "outbound", "internal"])
_ROLES: Final = pl.Series(["none", "source", "destination", "both"])


@dataclass(frozen=True, slots=True)
class _End:
    """One end of every row."""

    holders: Numbers
    """Index of its endpoint, or NONE."""
    is_inside: Flags
    is_here: Flags
    """Whether it lives on the reporting node."""


def enrich(raw: pl.DataFrame, directory: Directory, tolerance_ns: int = TOLERANCE_NS) -> pl.DataFrame:
    """Add ENRICHED to rows of RawFlow with batch facts; the rows keep their order.

    ``role`` says which of the ends live on the reporting node: source, destination, both or none. Where nobody had an
    address at the start of a connection, whoever got it at most ``tolerance_ns`` later had it.
    """
    at_ns = raw["started_at_ns"].to_numpy()
    source = _end(raw["original_source_address"], raw["node"], at_ns, directory, tolerance_ns)
    destination = _end(raw["reply_source_address"], raw["node"], at_ns, directory, tolerance_ns)
    services = _services(raw, directory, tolerance_ns)
    is_internal = destination.is_inside | (services != NONE)
    direction = 2 * source.is_inside + np.where(source.is_inside, is_internal, destination.is_inside)
    return raw.with_columns(
        *_ends(),
        _index("source_index", source.holders),
        _index("destination_index", destination.holders),
        _index("service_index", services),
        _DIRECTIONS.gather(pl.Series(direction)).alias("direction"),
        _ROLES.gather(pl.Series(source.is_here + 2 * destination.is_here)).alias("role"),
    )


def _ends() -> list[pl.Expr]:
    is_source_translated = (pl.col("reply_destination_address") != pl.col("original_source_address")) | (
        pl.col("reply_destination_port") != pl.col("original_source_port")
    )
    is_destination_translated = (pl.col("original_destination_address") != pl.col("reply_source_address")) | (
        pl.col("original_destination_port") != pl.col("reply_source_port")
    )
    return [
        pl.col("original_source_address").alias("source_address"),
        pl.col("original_source_port").alias("source_port"),
        pl.col("reply_source_address").alias("destination_address"),
        pl.col("reply_source_port").alias("destination_port"),
        pl.when(is_source_translated).then("reply_destination_address").alias("nat_address"),
        pl.when(is_source_translated).then("reply_destination_port").alias("nat_port"),
        pl.when(is_destination_translated).then("original_destination_address").alias("dialled_address"),
        pl.when(is_destination_translated).then("original_destination_port").alias("dialled_port"),
    ]


def _end(addresses: pl.Series, nodes: pl.Series, at_ns: Numbers, directory: Directory, tolerance_ns: int) -> _End:
    numbers = directory.lookup.numbers(addresses)
    holders = directory.lookup.holders(numbers, at_ns, tolerance_ns)
    is_inside = holders != NONE
    if not is_inside.all():
        is_inside[~is_inside] = _lie_inside(addresses.filter(pl.Series(~is_inside)), directory)
    is_here = (directory.node_names.gather(_index("index", holders)) == nodes).fill_null(value=False)
    return _End(holders, is_inside, is_here.to_numpy())


def _lie_inside(addresses: pl.Series, directory: Directory) -> Flags:
    """Whether addresses that nobody has lie in a pod network."""
    distinct = addresses.unique()
    inside = distinct.filter(pl.Series(directory.networks.contains(distinct), dtype=pl.Boolean))
    return addresses.is_in(inside.implode()).to_numpy()


def _services(raw: pl.DataFrame, directory: Directory, tolerance_ns: int) -> Numbers:
    """By what was dialled; a Service without endpoints is dialled without being translated."""
    lookup, addresses = directory.lookup, raw["original_destination_address"]
    numbers = lookup.numbers(addresses)
    ports = raw["original_destination_port"].cast(pl.Int64).to_numpy()
    protocols = raw["protocol"].cast(pl.Int64).to_numpy()
    at_ns = raw["started_at_ns"].to_numpy()
    found = lookup.services(numbers, ports, protocols, at_ns, tolerance_ns)
    by_node_port = lookup.node_port_services(ports, protocols, at_ns, tolerance_ns)
    rows = np.flatnonzero((found == NONE) & (by_node_port != NONE) & (numbers != NONE))
    if len(rows):
        dialled = _index("index", lookup.holders(numbers[rows], at_ns[rows], tolerance_ns))
        is_node = directory.is_node.gather(dialled).fill_null(value=False).to_numpy()
        found[rows[is_node]] = by_node_port[rows[is_node]]
    return found


def _index(name: str, numbers: Numbers) -> pl.Series:
    column = pl.Series(name, numbers)
    return column.set(column == NONE, None).cast(pl.UInt32)
