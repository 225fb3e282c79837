"""Columns of addresses looked up in a directory: who had each at an instant, and which Service was dialled."""

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
_DIRECTIONS: Final = pl.Series(["external", "inbound", "outbound", "internal"])


@dataclass(frozen=True, slots=True)
class Ends:
    """One end of every row."""

    holders: Numbers
    """Index of its endpoint, or NONE."""
    is_inside: Flags
    """Whether it is in the cluster: somebody has it, or it lies in a pod network."""


@dataclass(frozen=True, slots=True)
class Dialled:
    """Whom every row dialled."""

    addresses: pl.Series
    ports: pl.Series
    protocols: pl.Series
    """IANA numbers."""


def ends_of(addresses: pl.Series, at_ns: Numbers, directory: Directory, tolerance_ns: int = TOLERANCE_NS) -> Ends:
    """Who had each address then, or got it at most ``tolerance_ns`` later."""
    holders = directory.lookup.holders(directory.lookup.numbers(addresses), at_ns, tolerance_ns)
    is_inside = holders != NONE
    if not is_inside.all():
        is_inside[~is_inside] = _lie_inside(addresses.filter(pl.Series(~is_inside)), directory)
    return Ends(holders, is_inside)


def services_of(dialled: Dialled, at_ns: Numbers, directory: Directory, tolerance_ns: int = TOLERANCE_NS) -> Numbers:
    """Index of the Service that each row dialled, or NONE.

    A Service without endpoints is dialled without being translated.
    """
    lookup = directory.lookup
    numbers = lookup.numbers(dialled.addresses)
    ports = dialled.ports.cast(pl.Int64).to_numpy()
    protocols = dialled.protocols.cast(pl.Int64).to_numpy()
    found = lookup.services(numbers, ports, protocols, at_ns, tolerance_ns)
    by_node_port = lookup.node_port_services(ports, protocols, at_ns, tolerance_ns)
    rows = np.flatnonzero((found == NONE) & (by_node_port != NONE) & (numbers != NONE))
    if len(rows):
        holders = indices("index", lookup.holders(numbers[rows], at_ns[rows], tolerance_ns))
        is_node = directory.is_node.gather(holders).fill_null(value=False).to_numpy()
        found[rows[is_node]] = by_node_port[rows[is_node]]
    return found


def directions(source: Ends, destination: Ends, services: Numbers) -> pl.Series:
    """Internal, outbound, inbound or external; a Service is inside."""
    is_internal = destination.is_inside | (services != NONE)
    places = 2 * source.is_inside + np.where(source.is_inside, is_internal, destination.is_inside)
    return _DIRECTIONS.gather(pl.Series(places))


def indices(name: str, numbers: Numbers) -> pl.Series:
    """A column of indices, null for NONE."""
    column = pl.Series(name, numbers)
    return column.set(column == NONE, None).cast(pl.UInt32)


def _lie_inside(addresses: pl.Series, directory: Directory) -> Flags:
    """Whether addresses that nobody has lie in a pod network."""
    distinct = addresses.unique()
    inside = distinct.filter(pl.Series(directory.networks.contains(distinct), dtype=pl.Boolean))
    return addresses.is_in(inside.implode()).to_numpy()
