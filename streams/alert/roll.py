"""Calls the roll of nodes: one whose agent has not been heard of for a while is blind, and nobody else would say so."""

import struct
from typing import Final

from streams.alert.signal.signal import NodeSignal
from streams.alert.state.shelf import Store

_LEAST_NS: Final = 60 * 10**9
_INTERVALS: Final = 3
"""An agent that is silent for so many of its intervals, and a minute at least, is missed."""
_CALL_NS: Final = 10 * 10**9
_MOVE_NS: Final = 600 * 10**9
"""So long an agent may need to start on a new node, and be heard of after its node was deleted."""
_FORGET_NS: Final = 7 * 86400 * 10**9
"""Then a node is forgotten of whose deletion nobody told, like all that nothing is heard of."""
_MAXIMUM: Final = 10_000
_PREFIX: Final = "roll/"
_ENTRY: Final = struct.Struct("!qq")


class NodeRoll:
    """When each node was last heard of, and how often it speaks; kept in the engine's store."""

    def __init__(self, store: Store, since_ns: int = 0) -> None:
        """``since_ns``: when somebody began to listen; of what was not said before nobody knows who is to blame."""
        self._store = store
        self._since_ns = since_ns
        self._heard = {key.removeprefix(_PREFIX): _read(store[key]) for key in list(store) if key.startswith(_PREFIX)}
        self._came_ns: dict[str, int] = {}
        """When each was last heard of by us: what tells of nodes may itself be late."""
        self._left_ns: dict[str, int] = {}
        self._called_ns = 0

    def hear(self, signal: NodeSignal, now_ns: int) -> None:
        """A node's agent has told of an interval."""
        if signal.end_ns <= self._left_ns.get(signal.node, -_MOVE_NS) + _MOVE_NS:
            return
        if signal.end_ns > self._heard.get(signal.node, (0, 0))[0]:
            self._note(signal.node, signal.end_ns, max(signal.end_ns - signal.start_ns, 0))
        if signal.node in self._heard:
            self._came_ns[signal.node] = now_ns

    def join(self, node: str, at_ns: int) -> None:
        """The node is new in the cluster."""
        self._left_ns.pop(node, None)
        if node not in self._heard:
            self._note(node, at_ns, _MOVE_NS // _INTERVALS)

    def leave(self, node: str, at_ns: int) -> None:
        """The node is no longer in the cluster."""
        self._left_ns[node] = at_ns
        self._forget(node)

    def call(self, now_ns: int) -> list[NodeSignal]:
        """Nodes that are missed at an instant, every few seconds anew."""
        if now_ns - self._called_ns < _CALL_NS:
            return []
        self._called_ns = now_ns
        self._left_ns = {node: left_ns for node, left_ns in self._left_ns.items() if now_ns - left_ns <= _MOVE_NS}
        for node in [node for node, (heard_ns, _) in self._heard.items() if now_ns - heard_ns > _FORGET_NS]:
            self._forget(node)
        return [
            NodeSignal(None, heard_ns, now_ns, node, "blind")
            for node, (heard_ns, interval_ns) in self._heard.items()
            if now_ns - self._last_ns(node) > max(_LEAST_NS, _INTERVALS * interval_ns)
        ]

    def _last_ns(self, node: str) -> int:
        return max(self._heard[node][0], self._came_ns.get(node, 0), self._since_ns)

    def _note(self, node: str, heard_ns: int, interval_ns: int) -> None:
        if node in self._heard or len(self._heard) < _MAXIMUM:
            self._heard[node] = (heard_ns, interval_ns)
            self._store[_PREFIX + node] = _ENTRY.pack(heard_ns, interval_ns)

    def _forget(self, node: str) -> None:
        self._came_ns.pop(node, None)
        if self._heard.pop(node, None) is not None:
            del self._store[_PREFIX + node]


def _read(data: bytes) -> tuple[int, int]:
    try:
        heard_ns, interval_ns = _ENTRY.unpack(data)
    except struct.error:
        return (0, 0)
    return heard_ns, interval_ns
