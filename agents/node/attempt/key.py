"""Decides which 64-bit numbers stand for an attempt's dialled tuple, its packet, its answer and its identity."""

from typing import Final

import numpy as np
import numpy.typing as npt

from agents.node.attempt.packet import WITH_PORTS
from agents.node.report.key import mix

Keys = npt.NDArray[np.uint64]
Rows = npt.NDArray[np.void]

_HAS_PORTS: Final = np.array([number in WITH_PORTS for number in range(256)])
_HAS_IDENTIFIER: Final = np.array([number in (1, 58) for number in range(256)])
"""Conntrack and a packet's head may disagree on ports of other protocols (GRE keys); those match by addresses."""


def dialled_keys(rows: Rows, seed: int) -> Keys:
    """Key of each row's original tuple. The zone is left out: a packet's head does not tell it."""
    return _mix(seed, _head(rows), *_end(rows, "original_source"), *_end(rows, "original_destination"))


def answered_keys(rows: Rows, seed: int) -> Keys:
    """Key of each row's reply tuple: what an answer in the destination's name carries."""
    return _mix(seed, _head(rows), *_end(rows, "reply_source"), *_end(rows, "reply_destination"))


def packet_keys(rows: Rows, seed: int) -> Keys:
    """Key of each row's packet, equal before and after destination NAT."""
    return _mix(seed, _head(rows), *_end(rows, "original_source"), rows["packet"])


def connection_ids(rows: Rows, first_ns: npt.NDArray[np.int64], seed: int) -> npt.NDArray[np.int64]:
    """Identity of each attempt on this node: the same tuple at another time is another attempt."""
    return _mix(seed, dialled_keys(rows, seed), first_ns.astype(np.uint64)).view(np.int64)


def find(keys: Keys, wanted: Keys) -> npt.NDArray[np.intp]:
    """Index in the sorted ``keys`` of each wanted key, -1 where it is not there."""
    if not len(keys):
        return np.full(len(wanted), -1, np.intp)
    at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[at] == wanted, at, -1)


def _head(rows: Rows) -> Keys:
    identifiers = np.where(_HAS_IDENTIFIER[rows["protocol"]], rows["icmp_id"], 0).astype(np.uint64)
    return rows["protocol"].astype(np.uint64) | (identifiers << np.uint64(8))


def _end(rows: Rows, name: str) -> tuple[Keys, Keys, Keys]:
    ports = np.where(_HAS_PORTS[rows["protocol"]], rows[f"{name}_port"], 0)
    return rows[f"{name}_high"], rows[f"{name}_low"], ports.astype(np.uint64)


def _mix(seed: int, *words: Keys) -> Keys:
    return mix(np.full(len(words[0]), seed & 0xFFFFFFFFFFFFFFFF, np.uint64), *words)
