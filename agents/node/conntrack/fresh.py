"""What a connection that was not known counts from, and which id it gets for its life."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from agents.node.conntrack.beginning import Beginning, Beginnings
from agents.node.conntrack.entry import COUNTERS, Entries
from agents.node.conntrack.identity import Flags, Keys, Positions
from agents.node.conntrack.live import LIVE, TUPLE_NAMES, Live, mark_evicted
from agents.node.report.key import mix
from agents.node.report.rows import Choice, choose

Instants = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Unknown:
    """Entries of connections that are not known, in columns of equal length."""

    entries: Entries
    keys: Keys
    identities: Keys
    at_ns: Instants
    nth: Positions
    """How many of the same identity are before it in an interval; without times that alone tells them apart."""
    has_zeroed: Flags
    """Known until somebody set its counters to zero: another connection from then on."""

    def chosen(self, which: Choice) -> "Unknown":
        """Some of them, by flag or position."""
        return Unknown(
            choose(self.entries, which),
            self.keys[which],
            self.identities[which],
            self.at_ns[which],
            self.nth[which],
            self.has_zeroed[which],
        )


@dataclass(frozen=True, slots=True)
class Origin:
    """What decides whether a connection is older than the table."""

    seed: np.uint64
    began_at_ns: int
    is_based: bool
    """A dump was seen; what is not timed and turns up later is new."""
    beginnings: Beginnings

    def begin(self, unknown: Unknown) -> Live:
        """Counted from zero, unless older than the table: then from what they are first seen with."""
        entries = unknown.entries
        fresh = np.zeros(len(entries), LIVE)
        if not len(fresh):
            return fresh
        for name in TUPLE_NAMES:
            fresh[name] = entries[name]
        is_timed = (entries["started_at_ns"] > 0) & ~unknown.has_zeroed
        heard_at_ns = self.beginnings.instants(unknown.keys, unknown.at_ns, unknown.nth)
        heard_at_ns = np.where(unknown.has_zeroed, unknown.at_ns, heard_at_ns)
        fresh["identity"] = unknown.identities
        fresh["started_at_ns"] = np.where(is_timed, entries["started_at_ns"], heard_at_ns)
        fresh["connection_id"] = self._identify(unknown.keys, fresh["started_at_ns"])
        is_unheard = (not self.is_based) & (self.beginnings.count(unknown.keys) <= unknown.nth)
        is_older = np.where(is_timed, entries["started_at_ns"] < self.began_at_ns, is_unheard) & ~unknown.has_zeroed
        for name in COUNTERS:
            fresh[f"reported_{name}"] = np.where(is_older, entries[name], 0)
        return fresh

    def never_shown(self, beginnings: Beginning, now_ns: int) -> Live:
        """Connections whose beginning was told, and nothing since."""
        fresh = np.zeros(len(beginnings), LIVE)
        if not len(fresh):
            return fresh
        for name in (*TUPLE_NAMES, "status", "tcp_state", "seen_at_ns"):
            fresh[name] = beginnings[name]
        fresh["started_at_ns"] = beginnings["seen_at_ns"]
        fresh["connection_id"] = self._identify(beginnings["key"], fresh["started_at_ns"])
        mark_evicted(fresh, now_ns)
        return fresh

    def _identify(self, keys: Keys, started_at_ns: Instants) -> Instants:
        return mix(np.full(len(keys), self.seed), keys, started_at_ns.astype(np.uint64)).view(np.int64)
