"""Folds denied attempts and refused connections to a row for each client, destination and evidence, and bounds them.

A scan makes a row for each port that it tries. What exceeds the bound is cut fairly: every client has its first row
before any has its second, so one that scans hides nobody else's denials.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from agents.node.report.columns import Reports
from agents.node.report.key import mix
from agents.node.report.rows import choose

MAXIMUM_ROWS: Final = 256
"""Told at once. Streams spend about 150 µs on each, so a node that tells so many twice a second costs a tenth of a
core there."""
_SOURCE_PORTS: Final = ("original_source_port", "reply_destination_port", "icmp_id")
"""What tells two tries of one client at one destination apart."""
_WORDS: Final = (
    "family", "protocol", "zone", "original_source_high", "original_source_low", "original_destination_high",
    "original_destination_low", "reply_source_high", "reply_source_low", "reply_destination_high",
    "reply_destination_low", "original_destination_port", "reply_source_port", "icmp_type", "icmp_code", "evidence",
    "end_reason",
)  # fmt: skip
_CLIENT: Final = ("original_source_high", "original_source_low")

Keys = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Denials:
    """What is told at once."""

    rows: Reports
    """Of a client, a destination and an evidence each; ``attempts``: how many first packets, or connections."""
    cut: int
    """First packets of the rows for which there was no room."""


def fold(denied: Reports, seed: int, most: int = MAXIMUM_ROWS) -> Denials:
    """Fold denied attempts to at most ``most`` rows. ``seed``: of the node, so that nobody can make keys collide."""
    if not len(denied):
        return Denials(denied, 0)
    rows = _folded(denied, _keys(denied, _WORDS, seed))
    if len(rows) <= most:
        return Denials(rows, 0)
    turns = _turns(_keys(rows, _CLIENT, seed))
    kept = np.sort(np.argsort(turns, kind="stable")[:most])
    told = choose(rows, kept)
    return Denials(told, int(rows["attempts"].sum(dtype=np.int64) - told["attempts"].sum(dtype=np.int64)))


def _folded(denied: Reports, keys: Keys) -> Reports:
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    firsts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    rows = choose(denied, order[firsts])
    for field in _SOURCE_PORTS:
        rows[field] = 0
    for field in ("attempts", "begun", "original_packets", "reply_packets"):
        rows[field] = np.add.reduceat(denied[field][order].astype(np.int64), firsts)
    rows["started_at_ns"] = np.minimum.reduceat(denied["started_at_ns"][order], firsts)
    rows["seen_at_ns"] = np.maximum.reduceat(denied["seen_at_ns"][order], firsts)
    rows["connection_id"] = ordered[firsts].view(np.int64)
    return rows


def _keys(rows: Reports, fields: tuple[str, ...], seed: int) -> Keys:
    first = np.full(len(rows), seed & 0xFFFF_FFFF_FFFF_FFFF, np.uint64)
    return mix(first, *(rows[field].astype(np.uint64) for field in fields))


def _turns(clients: Keys) -> npt.NDArray[np.intp]:
    """The how-manieth row of its client each is, from 0."""
    order = np.argsort(clients, kind="stable")
    ordered = clients[order]
    places = np.arange(len(order))
    begins = np.concatenate([[True], ordered[1:] != ordered[:-1]])
    turns = np.empty(len(order), np.intp)
    turns[order] = places - np.maximum.accumulate(np.where(begins, places, 0))
    return turns
