"""Asks the kernel for conntrack entries (dump) and listens to their beginnings and ends (NEW and DESTROY events).

Both sockets are opened in the node's network namespace and stay there. Source: linux/netfilter/nfnetlink.h,
linux/netfilter/nfnetlink_conntrack.h.
"""

import errno
import socket
import struct
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from agents.errors import ReadError, RightsError
from agents.node.conntrack.decode import Decoder
from agents.node.conntrack.entry import Entries
from agents.node.namespace.reader import entered

_NETLINK_NETFILTER: Final = 12
_SO_RCVBUFFORCE: Final = 33
_GROUP_NEW: Final = 1 << 0  # NFNLGRP_CONNTRACK_NEW
_GROUP_DESTROY: Final = 1 << 2  # NFNLGRP_CONNTRACK_DESTROY
_GET: Final = 0x0101  # NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET
_REQUEST_DUMP: Final = 0x0301  # NLM_F_REQUEST | NLM_F_DUMP
_DONE, _ERROR = 3, 2
_DUMP_INTERRUPTED: Final = 0x10
_HEAD: Final = struct.Struct("=IHHII")
_HEAD_BYTES: Final = _HEAD.size
_READ_BYTES: Final = 64 << 10
"""The kernel fills a dump's messages up to the size that it is asked for, but at most 32 KiB."""
_DUMP_BYTES: Final = 1 << 20
_MAXIMUM_DUMP_BYTES: Final = 1 << 30
_EVENT_BYTES: Final = 4 << 20
_EVENT_ROOM: Final = 8 << 10
_TIMEOUT_SECONDS: Final = 10


@dataclass(frozen=True, slots=True)
class Events:
    """What happened since the last look."""

    new: Entries
    destroyed: Entries
    overruns: int
    """How often the kernel had to drop events (ENOBUFS); how many it dropped is not known."""
    malformed: int


@dataclass(frozen=True, slots=True)
class Dump:
    """Every entry of the namespace."""

    entries: Entries
    malformed: int
    interrupted: bool
    """The table changed so that entries may be missing or there twice."""


class ConntrackReader:
    """Conntrack of one network namespace. Inert until ``start``."""

    def __init__(self, netns: str, receive_buffer_bytes: int) -> None:
        """``netns``: path of the namespace; empty means the process's own."""
        self._netns = netns
        self._receive_buffer_bytes = receive_buffer_bytes
        self._events: socket.socket | None = None
        self._dumps: socket.socket | None = None
        self._event_decoder = Decoder()
        self._dump_decoder = Decoder()
        self._event_buffer = bytearray(_EVENT_BYTES)
        self._dump_buffer = bytearray(_DUMP_BYTES)
        self._sequence = 0

    def start(self) -> None:
        """Begin to listen. Raises RightsError without CAP_NET_ADMIN, ReadError when the kernel has no ctnetlink."""
        self._events = self._open(_GROUP_NEW | _GROUP_DESTROY)
        self._events.setblocking(False)

    def fileno(self) -> int:
        """Readable when there are events."""
        if self._events is None:
            raise ReadError("conntrack events: not started")
        return self._events.fileno()

    def read_events(self) -> Events:
        """Events that are queued now, at most about 4 MiB of them. Raises ReadError when the socket fails."""
        if self._events is None:
            raise ReadError("conntrack events: not started")
        size, overruns = self._receive_events(self._events)
        decoded = self._event_decoder.decode(self._event_buffer, size)
        return Events(decoded.new, decoded.destroyed, overruns, decoded.malformed)

    def dump(self) -> Dump:
        """All entries now, both families. Raises RightsError or ReadError."""
        if self._dumps is None:
            self._dumps = self._open(0)
            self._dumps.settimeout(_TIMEOUT_SECONDS)
        try:
            size, interrupted = self._receive_dump(self._dumps)
        except OSError as error:
            self._dumps.close()
            self._dumps = None
            raise _translated(error, "conntrack dump") from error
        decoded = self._dump_decoder.decode(self._dump_buffer, size)
        return Dump(decoded.new, decoded.malformed, interrupted)

    def close(self) -> None:
        """Stop listening."""
        for open_socket in (self._events, self._dumps):
            if open_socket is not None:
                open_socket.close()
        self._events = self._dumps = None

    def _open(self, groups: int) -> socket.socket:
        with entered(self._netns):
            try:
                opened = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_NETFILTER)
            except OSError as error:
                raise _translated(error, "conntrack") from error
        try:
            _set_receive_buffer(opened, self._receive_buffer_bytes)
            opened.bind((0, groups))
        except OSError as error:
            opened.close()
            raise _translated(error, "conntrack") from error
        return opened

    def _receive_events(self, events: socket.socket) -> tuple[int, int]:
        view = memoryview(self._event_buffer)
        size = overruns = 0
        while size + _EVENT_ROOM <= _EVENT_BYTES:
            try:
                received = events.recv_into(view[size:], _EVENT_ROOM)
            except BlockingIOError:
                break
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise _translated(error, "conntrack events") from error
                overruns += 1
                continue
            size += (received + 3) & ~3
        return size, overruns

    def _receive_dump(self, dumps: socket.socket) -> tuple[int, bool]:
        """Fill the buffer with the whole answer; return its size without the closing message."""
        self._sequence += 1
        request = _HEAD.pack(_HEAD_BYTES + 4, _GET, _REQUEST_DUMP, self._sequence, 0) + b"\0\0\0\0"
        dumps.send(request)
        size, interrupted = 0, False
        while True:
            if len(self._dump_buffer) - size < _READ_BYTES:
                self._grow()
            with memoryview(self._dump_buffer) as view:
                received = dumps.recv_into(view[size:], _READ_BYTES)
            _, kind, flags, sequence, _ = _HEAD.unpack_from(self._dump_buffer, size)
            if sequence != self._sequence:
                continue  # the rest of an answer that was given up on
            if kind == _ERROR:
                code = struct.unpack_from("=i", self._dump_buffer, size + _HEAD_BYTES)[0]
                raise OSError(-code, "the kernel refused")
            interrupted |= bool(flags & _DUMP_INTERRUPTED)
            if kind == _DONE:
                return size, interrupted
            size += received
            tail = size - _HEAD_BYTES - 4
            if tail >= 0 and _HEAD.unpack_from(self._dump_buffer, tail)[:2] == (_HEAD_BYTES + 4, _DONE):
                return tail, interrupted

    def _grow(self) -> None:
        if len(self._dump_buffer) >= _MAXIMUM_DUMP_BYTES:
            raise OSError(errno.ENOMEM, "the table is larger than 1 GiB")
        self._dump_buffer.extend(bytes(len(self._dump_buffer)))


def _set_receive_buffer(opened: socket.socket, size: int) -> None:
    """SO_RCVBUFFORCE needs CAP_NET_ADMIN over the machine; without it the system's limit holds."""
    try:
        opened.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, size)
    except PermissionError:
        with suppress(OSError):
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)


def _translated(error: OSError, what: str) -> ReadError | RightsError:
    if error.errno in (errno.EPERM, errno.EACCES):
        return RightsError(f"{what}: needs CAP_NET_ADMIN in the node's network namespace")
    if error.errno in (errno.EPROTONOSUPPORT, errno.EINVAL):
        return ReadError(f"{what}: this kernel has no ctnetlink (CONFIG_NF_CT_NETLINK); load nf_conntrack_netlink")
    return ReadError(f"{what}: {error.strerror or error}")
