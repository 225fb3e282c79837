"""Reads domain names as they lie in messages (RFC 1035, 3.1 and 4.1.4), which anyone may have written.

Texts are those of dnspython, at a fraction of the time for usual names, and bounded for those that are made to cost.
"""

import re
from typing import Final

_LONGEST_LABEL: Final = 63
_LONGEST_NAME: Final = 255
_POINTER: Final = 0xC0
_POINTER_BYTES: Final = 2
_TARGET: Final = 0x3FFF
_LONGEST_CHAIN: Final = 16
"""Pointers of one name, as many as dnspython follows."""
_ROOT: Final = "."
_SPECIAL: Final = b'"().;\\@$'
_BETWEEN: Final = "\u0100"
"""Stands for the dots between labels, where bytes have the characters below it."""
_ESCAPED: Final = {
    byte: f"\\{chr(byte)}" if byte in _SPECIAL else chr(byte).lower() if 0x20 < byte < 0x7F else f"\\{byte:03}"  # noqa: PLR2004 - ASCII
    for byte in range(256)
} | {ord(_BETWEEN): "."}
"""RFC 1035, 5.1."""
_PLAIN: Final = re.compile(rb"[A-Za-z0-9_.-]+")
_MAXIMUM_CHARACTERS: Final = 4096
"""Of the names that are read of a message: a pointer in two bytes may have a thousand read hundreds of times."""


class NameReader:
    """Reads the names of one message, each once however often it is pointed to."""

    def __init__(self, message: bytes) -> None:
        self._message = message
        self._known: dict[int, tuple[str, int]] = {}
        self._left = _MAXIMUM_CHARACTERS

    @property
    def is_spent(self) -> bool:
        """So much was read that the rest of the message is not worth its time."""
        return self._left <= 0

    def read(self, start: int) -> tuple[str, int] | None:
        """As ``read_name``, but that a pointer to a name that was read does not count for its chain."""
        message = self._message
        if start + 1 < len(message) and message[start] >= _POINTER:
            known = self._known.get((message[start] << 8 | message[start + 1]) & _TARGET)
            if known is not None and known[1] <= start:
                return known[0], start + _POINTER_BYTES
        found = read_name(message, start)
        if found is not None:
            self._known[start] = found
            self._left -= len(found[0])
        return found


def read_name(message: bytes, start: int) -> tuple[str, int] | None:
    """Text of the name at ``start``, and where it ends; None for what is none.

    Lower case, without the last dot; the root is a dot. A pointer leads to what stands wholly before the labels that it
    follows, so none are a loop.
    """
    labels: list[bytes] = []
    at, before, limit, end, name_bytes, hops = start, start, len(message), 0, 1, 0
    while at < limit:
        length = message[at]
        if length >= _POINTER:
            target = int.from_bytes(message[at : at + _POINTER_BYTES], "big") & _TARGET
            if at + _POINTER_BYTES > limit or target >= before or hops == _LONGEST_CHAIN:
                return None
            hops += 1
            end = end or at + _POINTER_BYTES
            at, before, limit = target, target, before
            continue
        at += 1
        if not length:
            return _text(labels), end or at
        name_bytes += length + 1
        if length > _LONGEST_LABEL or name_bytes > _LONGEST_NAME or at + length > limit:
            return None
        labels.append(message[at : at + length])
        at += length
    return None


def skip_labels(message: bytes, start: int) -> int:
    """Place of what ends the labels of the name at ``start``, a zero or a pointer; -1 when it is none."""
    at, last = start, min(len(message), start + _LONGEST_NAME)
    while at < last:
        length = message[at]
        if not length or length >= _POINTER:
            return at
        if length > _LONGEST_LABEL:
            return -1
        at += length + 1
    return -1


def _text(labels: list[bytes]) -> str:
    joined = b".".join(labels)
    if _PLAIN.fullmatch(joined) and joined.count(b".") == len(labels) - 1:
        return joined.decode("ascii").lower()
    return _BETWEEN.join([label.decode("latin-1") for label in labels]).translate(_ESCAPED) or _ROOT
