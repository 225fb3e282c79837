"""Which entries are the same connection.

A key is the kernel's id, the zone and the original tuple; the kernel may give all of them to another connection
later. With the start that nf_conntrack_timestamp gives, an identity is unique for ever.
"""

import numpy as np
import numpy.typing as npt

from agents.node.conntrack.entry import COUNTERS, Entries
from agents.node.report.key import mix

Keys = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]
Positions = npt.NDArray[np.int64]


def keys_of(entries: Entries) -> Keys:
    """Of whatever has ENTRY's tuples and id."""
    head = (
        entries["id"].astype(np.uint64)
        | (entries["zone"].astype(np.uint64) << np.uint64(32))
        | (entries["protocol"].astype(np.uint64) << np.uint64(48))
    )
    ports = (
        entries["original_source_port"].astype(np.uint64)
        | (entries["original_destination_port"].astype(np.uint64) << np.uint64(16))
        | (entries["icmp_id"].astype(np.uint64) << np.uint64(32))
    )
    words = [entries[f"original_{end}_{half}"] for end in ("source", "destination") for half in ("high", "low")]
    return mix(head, ports, *words)


def identities_of(entries: Entries, keys: Keys) -> Keys:
    """Key and the kernel's start: unique where the kernel gives times, the key's equal otherwise."""
    return mix(keys, entries["started_at_ns"].view(np.uint64))


def endings_of(entries: Entries, identities: Keys) -> Keys:
    """What an end and its repetition have in common; without times only the counters can tell."""
    is_timed = entries["started_at_ns"] > 0
    if is_timed.all():
        return identities
    return np.where(is_timed, identities, mix(identities, *(entries[name] for name in COUNTERS)))


def ranks_of(values: Keys) -> Positions:
    """How many times each value has been there before."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    ranks = np.empty(len(values), np.int64)
    ranks[order] = np.arange(len(values)) - np.searchsorted(ordered, ordered)
    return ranks
