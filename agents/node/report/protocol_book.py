"""Remembers, within a bound, which application protocol a connection turned out to speak."""

from typing import Final

import numpy as np

from agents.node.report.columns import Reports
from agents.publish.column import TextColumn

_MAXIMUM: Final = 65_536
_FIELDS: Final = (
    "original_source_high", "original_source_low", "original_source_port",
    "original_destination_high", "original_destination_low", "original_destination_port", "protocol",
)  # fmt: skip

_TRANSLATED: Final = tuple(name.replace("original_destination", "reply_source") for name in _FIELDS)
"""Where the kernel attaches no tuples of conntrack to a packet, it is known by its ends after DNAT."""

_End = tuple[int, int, int]
"""High and low word of the address, and port."""
_Key = tuple[int, int, int, int, int, int, int]


class ProtocolBook:
    """Application protocols by the ends as the client knows them."""

    def __init__(self) -> None:
        self._known: dict[_Key, str] = {}

    def __len__(self) -> int:
        return len(self._known)

    def note(self, client: _End, dialled: _End, protocol: int, name: str) -> None:
        """The connection speaks ``name``: dns, http, http2, grpc, tls or ssh; what was noted longest ago makes room."""
        self._known.pop((*client, *dialled, protocol), None)
        self._known[*client, *dialled, protocol] = name
        if len(self._known) > _MAXIMUM:
            del self._known[next(iter(self._known))]

    def column(self, reports: Reports) -> TextColumn:
        """What the rows' connections speak, empty where that is not known; those that ended are forgotten."""
        texts = {"": 0}
        indices = np.zeros(len(reports), np.intp)
        if self._known:
            dialled = zip(*(reports[name].tolist() for name in _FIELDS), strict=True)
            translated = zip(*(reports[name].tolist() for name in _TRANSLATED), strict=True)
            for row, (first, second) in enumerate(zip(dialled, translated, strict=True)):
                key = first if first in self._known else second
                name = self._known.get(key)
                if name is not None:
                    indices[row] = texts.setdefault(name, len(texts))
                    if reports["is_final"][row]:
                        del self._known[key]
        return TextColumn(list(texts), indices)
