"""Calls the roll of nodes: one whose agent has not been heard of for a while is blind, and nobody else would say so."""

import struct
from typing import Final

from streams.alert.signal.signal import NodeSignal
from streams.alert.state.shelf import Store

_LEAST_NS: Final = 60 * 10**9
_INTERVALS: Final = 3
"""An agent that is silent for so many of its intervals, and a minute at least, is missed."""
_CALL_NS: Final = 10 * 10**9
_LEFT_NS: Final = 3600 * 10**9
"""After that the node is taken to have left."""
_MAXIMUM: Final = 10_000
_PREFIX: Final = "roll/"
_ENTRY: Final = struct.Struct("!qq")


class NodeRoll:
    """When each node was last heard of, and how often it speaks; kept in the engine's store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._heard = {key.removeprefix(_PREFIX): _read(store[key]) for key in list(store) if key.startswith(_PREFIX)}
        self._called_ns = 0

    def hear(self, signal: NodeSignal) -> None:
        """A node's agent has told of an interval."""
        heard_ns, _ = self._heard.get(signal.node, (0, 0))
        is_known = signal.node in self._heard
        if signal.end_ns > heard_ns and (is_known or len(self._heard) < _MAXIMUM):
            self._note(signal.node, signal.end_ns, max(signal.end_ns - signal.start_ns, 0))

    def leave(self, node: str) -> None:
        """The node is no longer in the cluster."""
        if self._heard.pop(node, None) is not None:
            del self._store[_PREFIX + node]

    def call(self, now_ns: int) -> list[NodeSignal]:
        """Nodes that are missed at an instant, every few seconds anew."""
        if now_ns - self._called_ns < _CALL_NS:
            return []
        self._called_ns = now_ns
        for node in [node for node, (heard_ns, _) in self._heard.items() if now_ns - heard_ns > _LEFT_NS]:
            self.leave(node)
        return [
            NodeSignal(None, heard_ns, now_ns, node, "blind")
            for node, (heard_ns, interval_ns) in self._heard.items()
            if now_ns - heard_ns > max(_LEAST_NS, _INTERVALS * interval_ns)
        ]

    def _note(self, node: str, heard_ns: int, interval_ns: int) -> None:
        self._heard[node] = (heard_ns, interval_ns)
        self._store[_PREFIX + node] = _ENTRY.pack(heard_ns, interval_ns)


def _read(data: bytes) -> tuple[int, int]:
    try:
        heard_ns, interval_ns = _ENTRY.unpack(data)
    except struct.error:
        return (0, 0)
    return heard_ns, interval_ns
