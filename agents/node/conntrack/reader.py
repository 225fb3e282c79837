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
from agents.node.conntrack.decode import Decoded, Decoder
from agents.node.conntrack.dump import DATAGRAM_BYTES, PIECE_BYTES, Dump, DumpAnswer
from agents.node.conntrack.entry import ENTRY, Entries
from agents.node.datagram.reader import BatchReceiver
from agents.node.namespace.reader import entered
from agents.node.report.rows import join

_NETLINK_NETFILTER: Final = 12
_SO_RCVBUFFORCE: Final = 33
_GROUP_NEW: Final = 1 << 0  # NFNLGRP_CONNTRACK_NEW
_GROUP_DESTROY: Final = 1 << 2  # NFNLGRP_CONNTRACK_DESTROY
_GET: Final = 0x0101  # NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET
_REQUEST_DUMP: Final = 0x0301  # NLM_F_REQUEST | NLM_F_DUMP
_HEAD: Final = struct.Struct("=IHHII")
_SO_MEMINFO: Final = 55
_MEMORY: Final = struct.Struct("=II")  # SK_MEMINFO_RMEM_ALLOC, SK_MEMINFO_RCVBUF, linux/sock_diag.h
_EVENT_ROOM: Final = 2 << 10
"""Bytes; events have 160 to 700."""
_EVENTS_A_BATCH: Final = 1024
_MAXIMUM_BATCHES: Final = 64
"""One call ends although the kernel goes on queueing: the caller has other things to do."""
_TIMEOUT_SECONDS: Final = 10


@dataclass(frozen=True, slots=True)
class Events:
    """What happened since the last look."""

    new: Entries
    destroyed: Entries
    overruns: int
    """How often the kernel had to drop events (ENOBUFS); how many it dropped is not known."""
    malformed: int


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
        self._receiver = BatchReceiver(_EVENTS_A_BATCH, _EVENT_ROOM)
        self._dump_buffer = bytearray(PIECE_BYTES)
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
        """Events that are queued now, at most 65,536 of them. Raises ReadError when the socket fails."""
        if self._events is None:
            raise ReadError("conntrack events: not started")
        found: list[Decoded] = []
        overruns = refused = 0
        for _ in range(_MAXIMUM_BATCHES):
            try:
                batch = self._receiver.receive(self._events.fileno())
            except BlockingIOError:
                break
            except OSError as error:
                if error.errno not in (errno.ENOBUFS, errno.EINTR):
                    raise _translated(error, "conntrack events") from error
                overruns += error.errno == errno.ENOBUFS
                continue
            refused += batch.refused
            sizes = batch.sizes
            found.append(self._event_decoder.decode_datagrams(self._receiver.buffer, _EVENT_ROOM, sizes))
        return Events(
            join([decoded.new for decoded in found], ENTRY),
            join([decoded.destroyed for decoded in found], ENTRY),
            overruns,
            refused + sum(decoded.malformed for decoded in found),
        )

    def queued_share(self) -> float:
        """Which part of the receive buffer holds events that are not read yet, 0 to 1; 0 before the start."""
        if self._events is None:
            return 0.0
        try:
            queued, room = _MEMORY.unpack(self._events.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, _MEMORY.size))
        except OSError as error:
            raise _translated(error, "conntrack events") from error
        return float(queued / max(room, 1))

    def dump(self) -> Dump:
        """All entries now, both families. Raises RightsError or ReadError."""
        if self._dumps is None:
            self._dumps = self._open(0)
            self._dumps.settimeout(_TIMEOUT_SECONDS)
        try:
            return self._receive_dump(self._dumps)
        except OSError as error:
            self._dumps.close()
            self._dumps = None
            raise _translated(error, "conntrack dump") from error

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

    def _receive_dump(self, dumps: socket.socket) -> Dump:
        self._sequence += 1
        request = _HEAD.pack(_HEAD.size + 4, _GET, _REQUEST_DUMP, self._sequence, 0) + b"\0\0\0\0"
        dumps.send(request)
        answer = DumpAnswer(self._dump_decoder, self._dump_buffer, self._sequence)
        while True:
            received, (sender, _) = dumps.recvfrom_into(answer.room(), DATAGRAM_BYTES)
            if answer.take(received, sender):
                return answer.dump()


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
