"""Receives many datagrams of a netlink socket with one system call: recvmmsg(2), which Python's socket has not."""

import ctypes
import os
import socket
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

_SENDER: Final = np.dtype([("family", "u2"), ("pad", "u2"), ("port", "u4"), ("groups", "u4")])
"""struct sockaddr_nl, linux/netlink.h"""
_libc = ctypes.CDLL(None, use_errno=True)


class _Vector(ctypes.Structure):
    """struct iovec"""

    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


class _Header(ctypes.Structure):
    """struct msghdr"""

    _fields_ = (
        ("name", ctypes.c_void_p),
        ("name_length", ctypes.c_uint),
        ("vectors", ctypes.POINTER(_Vector)),
        ("vector_count", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_length", ctypes.c_size_t),
        ("flags", ctypes.c_int),
    )


class _Message(ctypes.Structure):
    """struct mmsghdr"""

    _fields_ = (("header", _Header), ("length", ctypes.c_uint))


_FACTS: Final = np.dtype(
    {
        "names": ["length", "flags"],
        "formats": ["u4", "i4"],
        "offsets": [_Message.length.offset, _Message.header.offset + _Header.flags.offset],
        "itemsize": ctypes.sizeof(_Message),
    }
)


@dataclass(frozen=True, slots=True)
class Batch:
    """Datagram ``i`` lies at ``i`` times the room for one in the receiver's buffer, until the next batch."""

    sizes: npt.NDArray[np.int64]
    """Bytes; 0 where it is not the kernel's own, or was longer than its room."""
    refused: int
    """Those of size 0."""


class BatchReceiver:
    """Room for ``count`` datagrams of at most ``room`` bytes, a multiple of four."""

    def __init__(self, count: int, room: int) -> None:
        self.room = room
        self.count = count
        self.buffer = bytearray(count * room)
        self._senders = np.zeros(count, _SENDER)
        self._vectors = (_Vector * count)()
        self._messages = (_Message * count)()
        self._facts = np.frombuffer(memoryview(self._messages).cast("B"), _FACTS)
        start = ctypes.addressof(ctypes.c_char.from_buffer(self.buffer))
        for position, message in enumerate(self._messages):
            self._vectors[position] = _Vector(start + position * room, room)
            message.header.vectors = ctypes.pointer(self._vectors[position])
            message.header.vector_count = 1
            message.header.name = self._senders.ctypes.data + position * _SENDER.itemsize
            message.header.name_length = _SENDER.itemsize

    def receive(self, descriptor: int) -> Batch:
        """Those that are queued, without waiting. Raises BlockingIOError when none is, OSError as recvmmsg does."""
        received = _libc.recvmmsg(
            ctypes.c_int(descriptor),
            ctypes.byref(self._messages),
            ctypes.c_uint(self.count),
            ctypes.c_int(socket.MSG_DONTWAIT),
            ctypes.c_void_p(None),
        )
        if received < 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))
        facts = self._facts[:received]
        is_good = (self._senders["port"][:received] == 0) & ((facts["flags"] & socket.MSG_TRUNC) == 0)
        return Batch(np.where(is_good, facts["length"], 0).astype(np.int64), int(received - is_good.sum()))
