"""Remembers, within a bound, which TCP connections conntrack translates: whom a client dialled, where answers go.

Kernels without CONFIG_NETFILTER_NETLINK_GLUE_CT show a packet without its tuples, so behind destination NAT it tells
its client and its server alone. The event that began the connection told both tuples, and is always read before.
"""

from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from agents.node.payload.packet import End, Packet

_MAXIMUM: Final = 16_384
_TCP: Final = 6
_ENDS: Final = ("original_source", "original_destination", "reply_source", "reply_destination")
_WORDS: Final = ("high", "low", "port")
_KEY: Final = np.dtype(
    [(f"{end}_{word}", "u2" if word == "port" else "u8") for end in ("client", "server") for word in _WORDS]
)


class TranslationBook:
    """Connections by client and server; what was asked for or noted longest ago makes room."""

    def __init__(self) -> None:
        self._known: dict[bytes, tuple[End, End]] = {}
        self._dialled: dict[End, End] = {}
        """Few services are dialled by many clients: one object for each."""

    def __len__(self) -> int:
        return len(self._known)

    def note(self, entries: npt.NDArray[np.void]) -> None:
        """Take connections (columns TUPLES) from events or dumps; those that are not translated are left out."""
        is_translated = np.zeros(len(entries), np.bool_)
        for one, other in (("original_destination", "reply_source"), ("original_source", "reply_destination")):
            for word in _WORDS:
                is_translated |= entries[f"{one}_{word}"] != entries[f"{other}_{word}"]
        rows = np.flatnonzero(is_translated & (entries["protocol"] == _TCP))[-_MAXIMUM:]
        if not len(rows):
            return
        source, dialled, server, answered = ([entries[f"{end}_{word}"][rows] for word in _WORDS] for end in _ENDS)
        keys = _keys(source, server)
        ends = zip(*(zip(*(word.tolist() for word in end), strict=True) for end in (dialled, answered)), strict=True)
        for key, (to, back) in zip(keys, ends, strict=True):
            self._known.pop(key, None)
            self._known[key] = (self._share(End(*to)), End(*back))
        while len(self._known) > _MAXIMUM:
            del self._known[next(iter(self._known))]

    def undo(self, packet: Packet) -> Packet:
        """The packet with whom its client dialled and where answers go, where the kernel did not tell."""
        if packet.client != packet.answered or packet.dialled != packet.server:
            return packet
        key = np.array([(*packet.client, *packet.server)], _KEY).tobytes()
        found = self._known.pop(key, None)
        if found is None:
            return packet
        self._known[key] = found
        return replace(packet, dialled=found[0], answered=found[1])

    def _share(self, end: End) -> End:
        if len(self._dialled) > _MAXIMUM:
            self._dialled.clear()
        return self._dialled.setdefault(end, end)


def _keys(client: list[npt.NDArray[np.integer]], server: list[npt.NDArray[np.integer]]) -> list[bytes]:
    keys = np.zeros(len(client[0]), _KEY)
    for name, values in zip(_KEY.names or (), [*client, *server], strict=True):
        keys[name] = values
    data, size = keys.tobytes(), _KEY.itemsize
    return [data[at : at + size] for at in range(0, len(data), size)]
