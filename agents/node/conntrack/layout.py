"""One arrangement of attributes, learned from one message by the walk, then read from many as columns.

Offsets differ between kernels, and between dumps and events; so none is known beforehand, and each row must have the
same attribute headers as the message that was learned from before its values are read.
"""

from typing import Final

import numpy as np

from agents.node.conntrack.attribute import FIELDS, MalformedError, walk
from agents.node.conntrack.entry import ENTRY, Entries
from agents.node.datagram.message import Bytes, Flags, Pattern, address, column

_FAMILY_BYTE: Final = 16
_ADDRESSES: Final = ("original_source", "original_destination", "reply_source", "reply_destination")
_REQUIRED: Final = {*_ADDRESSES, "protocol"}
_FAMILY_OF_SIZE: Final = {4: 2, 16: 10}


class Layout:
    """Reads messages of one length and one arrangement."""

    def __init__(self, message: bytes) -> None:
        """Learn from a message. Raises MalformedError when it is none of conntrack's, or has an odd size."""
        mask = np.zeros(len(message), np.uint8)
        mask[_FAMILY_BYTE] = 0xFF
        places: dict[str, tuple[int, int]] = {}
        for attribute in walk(message):
            mask[attribute.header : attribute.value] = 0xFF
            name, size = FIELDS.get(attribute.path, ("", 0))
            if not name:
                continue
            if attribute.size != size:
                raise MalformedError(f"{name} has {attribute.size} bytes instead of {size}")
            places.setdefault(name, (attribute.value, size))
        if not places.keys() >= _REQUIRED:
            raise MalformedError(f"no {', '.join(sorted(_REQUIRED - places.keys()))}")
        self._family = message[_FAMILY_BYTE]
        if any(_FAMILY_OF_SIZE[places[name][1]] != self._family for name in _ADDRESSES):
            raise MalformedError("addresses of another family than the message says")
        self._places = places
        self._pattern = Pattern(message, mask)

    def fits(self, rows: Bytes) -> Flags:
        """Which of these messages have this arrangement."""
        return self._pattern.fits(rows)

    def read(self, rows: Bytes) -> Entries:
        """Entries of messages that fit."""
        entries = np.zeros(len(rows), ENTRY)
        entries["family"] = self._family
        for name, (offset, size) in self._places.items():
            if name in _ADDRESSES:
                entries[f"{name}_high"], entries[f"{name}_low"] = address(rows, offset, size)
            else:
                entries[name] = column(rows, offset, f">u{size}")
        entries["has_counters"] = "original_packets" in self._places
        return entries
