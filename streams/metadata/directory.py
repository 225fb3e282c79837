"""The names of a cluster at every instant: endpoints and services by address and time. A value that never changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from streams.metadata.endpoint import Endpoint
from streams.metadata.network import Networks
from streams.metadata.service import Service
from streams.metadata.timeline import NONE, Numbers, Timeline

SERVICES: Final = {
    "address": pl.String(),
    "port": pl.Int64(),
    "protocol": pl.Int64(),
    "valid_from_ns": pl.Int64(),
    "valid_to_ns": pl.Int64(),
    "service_index": pl.UInt32(),
}
_PORT_BITS: Final = 16
_PROTOCOL_BITS: Final = 8
_ANY_NODE: Final = 0
"""Number of what stands for any node's address."""


@dataclass(frozen=True, slots=True)
class Directory:
    """Everything known at one version of the metadata. Indices given out once mean the same in every later one."""

    version: int
    """Grows with the log."""
    endpoints: Sequence[Endpoint]
    """A pod or node has one for each of its states."""
    services: Sequence[Service]
    claims: pl.DataFrame
    """CLAIMS, sorted by address and time, without overlaps."""
    service_claims: pl.DataFrame
    """SERVICES; an empty address stands for any node's, with a node port."""
    node_names: pl.Series
    """Name of the node of each endpoint, by index; empty when it has none."""
    is_node: pl.Series
    """Whether each endpoint is a node, by index."""
    networks: Networks
    """Pod networks of the nodes: an address of theirs is inside the cluster even when nobody has it."""
    lookup: "Lookup"
    """The claims, made for looking up columns."""


class Lookup:
    """Finds who had an address, and which Service was dialled, for columns of rows."""

    def __init__(self, claims: pl.DataFrame, service_claims: pl.DataFrame) -> None:
        """CLAIMS and SERVICES."""
        addresses = pl.concat([pl.Series("address", [""]), claims["address"], service_claims["address"]])
        self._addresses = addresses.unique(maintain_order=True)
        self._places = pl.Series(np.arange(len(self._addresses), dtype=np.int64))
        self._holders = Timeline(self.numbers(claims["address"]), *_times(claims), _numbers(claims["index"]))
        packed = _packed(
            self.numbers(service_claims["address"]), _numbers(service_claims["port"]),
            _numbers(service_claims["protocol"]),
        )  # fmt: skip
        self._dialled, keys = np.unique(packed, return_inverse=True)
        settled = _numbers(service_claims["service_index"])
        self._services = Timeline(keys.astype(np.int64), *_times(service_claims), settled)

    def numbers(self, addresses: pl.Series) -> Numbers:
        """A number for each address, NONE for one that nobody ever had: to look it up by."""
        return addresses.replace_strict(
            self._addresses, self._places, default=NONE, return_dtype=pl.Int64
        ).to_numpy()  # fmt: skip

    def holders(self, addresses: Numbers, at_ns: Numbers, early_ns: int) -> Numbers:
        """Index of the endpoint that had each address, or got it at most ``early_ns`` later; else NONE."""
        return self._holders.find(addresses, at_ns, early_ns)

    def services(
        self, addresses: Numbers, ports: Numbers, protocols: Numbers, at_ns: Numbers, early_ns: int
    ) -> Numbers:
        """Index of the Service that is dialled by an address of its own; else NONE."""
        keys = np.full(len(addresses), NONE, np.int64)
        if len(self._dialled):
            packed = _packed(addresses, ports, protocols)
            places = np.minimum(np.searchsorted(self._dialled, packed), len(self._dialled) - 1)
            is_possible = (ports >> _PORT_BITS == 0) & (protocols >> _PROTOCOL_BITS == 0) & (addresses != NONE)
            is_known = is_possible & (self._dialled[places] == packed)
            keys[is_known] = places[is_known]
        return self._services.find(keys, at_ns, early_ns)

    def node_port_services(self, ports: Numbers, protocols: Numbers, at_ns: Numbers, early_ns: int) -> Numbers:
        """Index of the Service that is dialled by a port on a node; else NONE."""
        return self.services(np.full(len(ports), _ANY_NODE, np.int64), ports, protocols, at_ns, early_ns)


def _packed(addresses: Numbers, ports: Numbers, protocols: Numbers) -> Numbers:
    return (addresses << (_PORT_BITS + _PROTOCOL_BITS)) | (ports << _PROTOCOL_BITS) | protocols


def _times(claims: pl.DataFrame) -> tuple[Numbers, Numbers]:
    return _numbers(claims["valid_from_ns"]), _numbers(claims["valid_to_ns"])


def _numbers(column: pl.Series) -> Numbers:
    return column.cast(pl.Int64).to_numpy()
