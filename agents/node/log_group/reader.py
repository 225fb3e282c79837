"""Binds a log group of the kernel (nfnetlink_log) and reads it in batches, each within a bound."""

import errno
import socket
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from struct import Struct
from typing import Final

import numpy as np
import numpy.typing as npt

from agents.errors import ReadError, RightsError
from agents.node.datagram.reader import BatchReceiver
from agents.node.log_group.message import Numbered
from agents.node.namespace.reader import entered

_NETLINK_NETFILTER: Final = 12
_SO_RCVBUFFORCE: Final = 33
_CONFIG_MESSAGE: Final = 4 << 8 | 1  # NFNL_SUBSYS_ULOG, NFULNL_MSG_CONFIG
_REQUEST_AND_ACKNOWLEDGE: Final = 0x5
_ERROR_MESSAGE: Final = 2
_COMMAND, _MODE, _BUFFER, _TIMEOUT, _THRESHOLD, _FLAGS = 1, 2, 3, 4, 5, 6  # NFULA_CFG_*
_BIND, _BIND_FAMILY = 1, 3  # NFULNL_CFG_CMD_BIND, _PF_BIND
_NO_FAMILY: Final = 0xFF
"""That no logger can be bound to: whoever may bind is told that it is invalid, and nothing is changed."""
_COPY_PACKET: Final = 2
_NUMBERED: Final = 0x1  # NFULNL_CFG_F_SEQ: a gap tells how many messages were lost
_WITH_CONNTRACK: Final = 0x4  # NFULNL_CFG_F_CONNTRACK
_KERNEL_BUFFER_BYTES: Final = 32 << 10
_MESSAGES_A_SEND: Final = 100
_ANSWER_BYTES: Final = 64 << 10
_DATAGRAMS_A_BATCH: Final = 16
_MAXIMUM_BATCHES: Final = 16
"""Bounds one read; a flood must not keep the agent from conntrack's events."""
_ANSWER_SECONDS: Final = 5.0
_HEADER: Final = Struct("=IHHII")
_SEQUENCE_RANGE: Final = 1 << 32


@dataclass(frozen=True, slots=True)
class Group:
    """A log group and how its packets come."""

    number: int
    setting: str
    """Which setting chooses it, for whoever has to choose another."""
    copy_bytes: int
    """Bytes of a packet at most; a rule may ask for fewer."""
    flush_hundredths: int
    """The kernel sends what it has gathered after so many 1/100 s; its default, 1 s, delays everything for nothing."""


@dataclass(frozen=True, slots=True)
class LogBatch:
    """Datagrams of one system call: number ``i`` has ``sizes[i]`` bytes at ``i * room``, until the next batch."""

    buffer: bytearray
    room: int
    sizes: npt.NDArray[np.int64]
    received_at_ns: int


class LogGroup:
    """The one listener of a log group in the network namespace at ``netns`` (empty: this one)."""

    def __init__(self, netns: str, group: Group, receive_buffer_bytes: int) -> None:
        self._netns = netns
        self._group = group
        self._receive_buffer_bytes = receive_buffer_bytes
        self._socket: socket.socket | None = None
        self._receiver = BatchReceiver(_DATAGRAMS_A_BATCH, _KERNEL_BUFFER_BYTES)
        self._expected: int | None = None
        self.has_tuples = False
        """Whether this kernel attaches conntrack's tuples to the messages (CONFIG_NETFILTER_NETLINK_GLUE_CT)."""
        self.overruns = 0
        """Times that the socket's buffer was too small."""
        self.refused = 0
        """Datagrams that were not the kernel's, or too long."""
        self.lost = 0
        """Messages that the kernel numbered and that never came, as far as ``count`` was told."""

    def start(self) -> None:
        """Bind the group and say what is wanted.

        Raises ReadError when another process holds the group, RightsError without CAP_NET_ADMIN.
        """
        with entered(self._netns):
            listener = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETLINK_NETFILTER)
        self._socket = listener
        try:
            _set_receive_buffer(listener, self._receive_buffer_bytes)
            listener.bind((0, 0))
            listener.settimeout(_ANSWER_SECONDS)
            self._bind(listener)
        except OSError as error:
            self.close()
            raise ReadError(f"log group {self._group.number}: {error.strerror or error}") from error
        except (ReadError, RightsError):
            self.close()
            raise
        listener.setblocking(False)

    def fileno(self) -> int:
        """Descriptor to poll."""
        return self._listener().fileno()

    def batches(self) -> Iterator[LogBatch]:
        """Everything that is there now, up to a bound; never waits."""
        listener = self._listener()
        for _ in range(_MAXIMUM_BATCHES):
            try:
                batch = self._receiver.receive(listener.fileno())
            except BlockingIOError:
                break
            except OSError as error:
                if error.errno not in (errno.ENOBUFS, errno.EINTR):
                    raise ReadError(f"log group {self._group.number}: {error.strerror}") from error
                self.overruns += error.errno == errno.ENOBUFS
                continue
            self.refused += batch.refused
            yield LogBatch(self._receiver.buffer, self._receiver.room, batch.sizes, time.time_ns())

    def count(self, numbered: Iterable[Numbered]) -> None:
        """Hold the kernel's numbers of datagrams against those before."""
        self.lost += sum(map(self._count_lost, numbered))

    def close(self) -> None:
        """Let go of the group."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _listener(self) -> socket.socket:
        if self._socket is None:
            raise ReadError(f"log group {self._group.number} is not bound")
        return self._socket

    def _count_lost(self, numbered: Numbered) -> int:
        if numbered.first is None:
            return 0
        lost = 0 if self._expected is None else (numbered.first - self._expected) % _SEQUENCE_RANGE
        self._expected = (numbered.first + numbered.messages) % _SEQUENCE_RANGE
        return lost

    def _bind(self, listener: socket.socket) -> None:
        code = self._configure(listener, _COMMAND, bytes([_BIND]))
        # The kernel answers EPERM both to strangers to a group and to processes without the right.
        if code == errno.EPERM and not self._may_bind(listener):
            raise RightsError(f"log group {self._group.number} needs CAP_NET_ADMIN in the node's network namespace")
        if code in (errno.EPERM, errno.EBUSY):
            raise ReadError(
                f"log group {self._group.number} is held by another process; "
                f"choose a free one with {self._group.setting}"
            )
        _require(code)
        copy = self._group.copy_bytes.to_bytes(4, "big") + bytes([_COPY_PACKET, 0])
        _require(self._configure(listener, _MODE, copy))
        for kind, value in (
            (_BUFFER, _KERNEL_BUFFER_BYTES),
            (_TIMEOUT, self._group.flush_hundredths),
            (_THRESHOLD, _MESSAGES_A_SEND),
        ):
            _require(self._configure(listener, kind, value.to_bytes(4, "big")))
        code = self._configure(listener, _FLAGS, (_NUMBERED | _WITH_CONNTRACK).to_bytes(2, "big"))
        self.has_tuples = code == 0
        if code == errno.EOPNOTSUPP:
            code = self._configure(listener, _FLAGS, _NUMBERED.to_bytes(2, "big"))
        _require(code)

    def _may_bind(self, listener: socket.socket) -> bool:
        return self._configure(listener, _COMMAND, bytes([_BIND_FAMILY]), _NO_FAMILY) != errno.EPERM

    def _configure(self, listener: socket.socket, kind: int, value: bytes, family: int = 0) -> int:
        """Error number of one setting of the group, 0 when the kernel took it."""
        attribute = (4 + len(value)).to_bytes(2, "little") + kind.to_bytes(2, "little") + value
        body = bytes([family, 0]) + self._group.number.to_bytes(2, "big") + attribute + bytes(-len(attribute) % 4)
        listener.send(_HEADER.pack(_HEADER.size + len(body), _CONFIG_MESSAGE, _REQUEST_AND_ACKNOWLEDGE, 1, 0) + body)
        answer = listener.recv(_ANSWER_BYTES)
        while len(answer) >= _HEADER.size and _HEADER.unpack_from(answer)[1] != _ERROR_MESSAGE:
            answer = listener.recv(_ANSWER_BYTES)  # packets may already flow
        return -int.from_bytes(answer[16:20], "little", signed=True)


def _set_receive_buffer(listener: socket.socket, size_bytes: int) -> None:
    """Set the buffer, beyond the system's limit where that is allowed."""
    try:
        listener.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, size_bytes)
    except PermissionError:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size_bytes)


def _require(code: int) -> None:
    if code:
        raise OSError(code, errno.errorcode.get(code, str(code)))
