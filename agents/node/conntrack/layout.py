"""One arrangement of attributes, learned from one message by the walk, then read from many as columns.

Offsets differ between kernels, and between dumps and events; so none is known beforehand, and each row must have the
same attribute headers as the message that was learned from before its values are read.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from agents.node.conntrack.attribute import FIELDS, MalformedError, walk
from agents.node.conntrack.entry import ENTRY, Entries

Rows = npt.NDArray[np.void]
_FAMILY_WORD: Final = 4
_FAMILY_BYTE: Final = 16
_MAPPED: Final = np.uint64(0xFFFF_0000_0000)
_ADDRESSES: Final = ("original_source", "original_destination", "reply_source", "reply_destination")
_REQUIRED: Final = {*_ADDRESSES, "protocol"}
_FAMILY_OF_SIZE: Final = {4: 2, 16: 10}


class Layout:
    """Reads messages of one length and one arrangement."""

    def __init__(self, message: bytes) -> None:
        """Learn from a message. Raises MalformedError when it is none of conntrack's, or has an odd size."""
        words = len(message) // 4
        mask = np.zeros(words, "<u4")
        mask[_FAMILY_WORD] = 0xFF
        places: dict[str, tuple[int, int]] = {}
        for attribute in walk(message):
            mask[attribute.header // 4] = 0xFFFF_FFFF
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
        self._checked = np.flatnonzero(mask)
        self._expected = (np.frombuffer(message, "<u4", words) & mask)[self._checked]
        self._mask = mask[self._checked]

    def fits(self, words: npt.NDArray[np.uint32]) -> npt.NDArray[np.bool_]:
        """Which of these messages, as rows of 32-bit words, have this arrangement."""
        matching: npt.NDArray[np.bool_] = ((words[:, self._checked] & self._mask) == self._expected).all(axis=1)
        return matching

    def read(self, rows: npt.NDArray[np.uint8]) -> Entries:
        """Entries of messages that fit, given as rows of bytes."""
        entries = np.zeros(len(rows), ENTRY)
        entries["family"] = self._family
        for name, (offset, size) in self._places.items():
            values = np.ascontiguousarray(rows[:, offset : offset + size])
            if name in _ADDRESSES:
                _set_address(entries, name, values)
            else:
                entries[name] = values.view(f">u{size}")[:, 0]
        entries["has_counters"] = "original_packets" in self._places
        return entries


def _set_address(entries: Entries, name: str, values: npt.NDArray[np.uint8]) -> None:
    if values.shape[1] == 4:  # noqa: PLR2004 - bytes of an IPv4 address
        entries[f"{name}_low"] = values.view(">u4")[:, 0].astype(np.uint64) | _MAPPED
    else:
        entries[f"{name}_high"] = values.view(">u8")[:, 0]
        entries[f"{name}_low"] = values.view(">u8")[:, 1]
