"""Puts the kernel's answer to a dump together, in pieces that are decoded as soon as they are full.

No datagram is parted between two pieces, so a message that does not fit costs the rest of its piece and no more.
"""

import errno
import os
import struct
from dataclasses import dataclass
from typing import Final

from agents.node.conntrack.decode import Decoded, Decoder
from agents.node.conntrack.entry import ENTRY, Entries
from agents.node.report.rows import join

DATAGRAM_BYTES: Final = 64 << 10
"""The kernel fills a dump's messages up to the size that it is asked for, but at most 32 KiB."""
PIECE_BYTES: Final = 512 << 10
"""What the decoder needs for so much stays in the processor's cache and in the same memory."""
_MAXIMUM_BYTES: Final = 1 << 30
_DONE, _ERROR = 3, 2
_INTERRUPTED: Final = 0x10  # NLM_F_DUMP_INTR
_HEAD: Final = struct.Struct("=IHHII")
_CODE: Final = struct.Struct("=i")
_DONE_BYTES: Final = _HEAD.size + _CODE.size


@dataclass(frozen=True, slots=True)
class Dump:
    """Every entry of the namespace."""

    entries: Entries
    malformed: int
    interrupted: bool
    """The table changed so that entries may be missing or there twice."""


class DumpAnswer:
    """The answer to the request of this ``sequence``. ``buffer`` has PIECE_BYTES; it is free again afterwards."""

    def __init__(self, decoder: Decoder, buffer: bytearray, sequence: int) -> None:
        self._decoder = decoder
        self._buffer = buffer
        self._sequence = sequence
        self._size = 0
        self._total = 0
        self._found: list[Decoded] = []
        self._is_interrupted = False

    def room(self) -> memoryview:
        """Where the next datagram goes. Raises OSError when the answer has no end."""
        if len(self._buffer) - self._size < DATAGRAM_BYTES:
            self._decode(self._size)
        return memoryview(self._buffer)[self._size : self._size + DATAGRAM_BYTES]

    def take(self, received: int, sender: int) -> bool:
        """Take in so many bytes that were put into the room; return whether the answer is whole.

        ``sender`` is a netlink port, the kernel's is 0. Raises OSError with the kernel's error, should it tell one.
        """
        if sender != 0 or received < _HEAD.size:
            return False
        _, kind, _, sequence, _ = _HEAD.unpack_from(self._buffer, self._size)
        if sequence != self._sequence:
            return False  # the rest of an answer that was given up on
        if kind == _ERROR:
            raise self._refused(self._size)
        # What ends the answer comes in a datagram of its own or after the last entries.
        done = self._size if kind == _DONE else self._size + received - _DONE_BYTES
        end = self._size + received
        if done < self._size or done + _DONE_BYTES > end or not self._is_done(done):
            self._size = end
            return False
        if _CODE.unpack_from(self._buffer, done + _HEAD.size)[0] < 0:
            raise self._refused(done)
        self._is_interrupted = bool(_HEAD.unpack_from(self._buffer, done)[2] & _INTERRUPTED)
        self._decode(done)
        return True

    def dump(self) -> Dump:
        """All that was taken in."""
        return Dump(
            join([decoded.new for decoded in self._found], ENTRY),
            sum(decoded.malformed for decoded in self._found),
            self._is_interrupted or any(decoded.interrupted for decoded in self._found),
        )

    def _is_done(self, at: int) -> bool:
        length, kind, _, sequence, _ = _HEAD.unpack_from(self._buffer, at)
        return bool((length, kind, sequence) == (_DONE_BYTES, _DONE, self._sequence))

    def _decode(self, size: int) -> None:
        self._found.append(self._decoder.decode(self._buffer, size))
        self._total += size
        self._size = 0
        if self._total > _MAXIMUM_BYTES:
            raise OSError(errno.ENOMEM, "the table is larger than 1 GiB")

    def _refused(self, at: int) -> OSError:
        code = -int(_CODE.unpack_from(self._buffer, at + _HEAD.size)[0])
        return OSError(code, os.strerror(code))
