"""Asks one network namespace for sockets, and hears of those that close there."""

import errno
import socket
from struct import Struct
from typing import Final

import numpy as np
import numpy.typing as npt

from agents.errors import ReadError, RightsError
from agents.node.datagram.reader import BatchReceiver
from agents.node.report.columns import SOCKET, Sockets
from agents.node.report.rows import choose, join
from agents.node.socket.diag.answer import SOCKET_MESSAGE, AnswerDecoder
from agents.node.socket.diag.question import Questions, render_requests

_NETLINK_SOCK_DIAG: Final = 4
_SO_RCVBUFFORCE: Final = 33
_TCP_DESTROY_GROUPS: Final = 1 << 0 | 1 << 2  # SKNLGRP_INET_TCP_DESTROY, SKNLGRP_INET6_TCP_DESTROY
_HEADER: Final = Struct("=IHHII")
_MESSAGE_ROOM: Final = 4096
_ASKED_AT_ONCE: Final = 200
"""Answers wait in the socket's buffer, about 1.3 KiB each with the kernel's overhead."""
_ANSWER_BUFFER_BYTES: Final = 1 << 20
_ANSWER_SECONDS: Final = 2.0
_CLOSED_AT_ONCE: Final = 256
_CLOSED_ROOM: Final = 1024
"""A socket's message, of about 500 bytes today; attributes are added to it from time to time."""
_HEAD: Final = np.dtype({"names": ["length", "kind"], "formats": ["<u4", "<u2"], "itemsize": _HEADER.size})
_TCP: Final = 6


class DiagBuffer:
    """Room for messages and the arrangements learned, shared by the readers of all namespaces."""

    def __init__(self) -> None:
        self.memory = bytearray(_ASKED_AT_ONCE * _CLOSED_ROOM + _MESSAGE_ROOM)
        self.receiver = BatchReceiver(_CLOSED_AT_ONCE, _CLOSED_ROOM)
        self.decoder = AnswerDecoder()


class DiagReader:
    """Open it inside the namespace; the sockets stay there."""

    def __init__(self, buffer: DiagBuffer, receive_buffer_bytes: int) -> None:
        """Raises RightsError without CAP_NET_ADMIN, ReadError when the kernel has no sock_diag."""
        self._buffer = buffer
        self._number = 0
        self.overruns = 0
        """Times that closing sockets came faster than they were read."""
        self.malformed = 0
        self._asking = _open(_ANSWER_BUFFER_BYTES, 0)
        self._asking.settimeout(_ANSWER_SECONDS)
        try:
            self._closing = _open(receive_buffer_bytes, _TCP_DESTROY_GROUPS)
        except (ReadError, RightsError):
            self._asking.close()
            raise
        self._closing.setblocking(False)

    def fileno(self) -> int:
        """Readable when sockets have closed."""
        return self._closing.fileno()

    def ask(self, questions: Questions) -> Sockets:
        """The sockets that answer, with the ends that were asked for.

        A connected socket of these ends answers, else the bound one that would take the packets. Raises ReadError.
        """
        starts = range(0, len(questions), _ASKED_AT_ONCE)
        pieces = [self._ask(questions[start : start + _ASKED_AT_ONCE]) for start in starts]
        return join(pieces, SOCKET)

    def take_closed(self) -> Sockets:
        """TCP sockets that closed since the last call, with their final figures; bounded, call again for more."""
        receiver = self._buffer.receiver
        sizes = self._receive_closed()
        if not len(sizes):
            return np.zeros(0, SOCKET)
        heads = np.frombuffer(receiver.buffer, _HEAD).reshape(receiver.count, -1)[: len(sizes), 0]
        is_whole = (sizes >= _HEADER.size) & (heads["length"] <= sizes)
        offsets = np.flatnonzero(is_whole & (heads["kind"] == SOCKET_MESSAGE))
        lengths = heads["length"][offsets].tolist()
        sockets, _, malformed = self._buffer.decoder.decode(
            receiver.buffer, (offsets * receiver.room).tolist(), lengths
        )
        self.malformed += malformed + int((~is_whole).sum())
        sockets["protocol"] = _TCP
        return choose(sockets, sockets["remote_port"] != 0)

    def close(self) -> None:
        """Let go of the namespace."""
        self._asking.close()
        self._closing.close()

    def _receive_closed(self) -> npt.NDArray[np.int64]:
        """Sizes of the datagrams that now lie in the shared buffer."""
        while True:
            try:
                return self._buffer.receiver.receive(self._closing.fileno()).sizes
            except BlockingIOError:
                return np.zeros(0, np.int64)
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise ReadError(f"closing sockets: {error.strerror}") from error
                self.overruns += 1

    def _ask(self, questions: Questions) -> Sockets:
        first = self._number + 1
        self._number = (self._number + len(questions)) % (1 << 31)
        memory = memoryview(self._buffer.memory)
        offsets: list[int] = []
        lengths: list[int] = []
        end = answered = 0
        try:
            self._asking.send(render_requests(questions, first))
            while answered < len(questions):
                if end + _MESSAGE_ROOM > len(memory):
                    raise ReadError("sock_diag answered more than was asked")
                received = self._asking.recv_into(memory[end:], _MESSAGE_ROOM)
                before = len(offsets)
                numbered = _number_of(memory, end, received) - first
                end = self._frame(end, received, offsets, lengths)
                answered += 0 <= numbered < len(questions)
                if not 0 <= numbered < len(questions):
                    del offsets[before:], lengths[before:]  # late, of a question given up
        except (OSError, TimeoutError) as error:
            raise ReadError(f"sock_diag: {error.strerror or error}") from error
        sockets, indices, malformed = self._buffer.decoder.decode(self._buffer.memory, offsets, lengths)
        self.malformed += malformed
        numbers = [_number_of(memory, offsets[index], _HEADER.size) - first for index in indices]
        asked = choose(questions, np.array(numbers, np.intp))
        for name in ("protocol", "local_high", "local_low", "remote_high", "remote_low", "local_port", "remote_port"):
            sockets[name] = asked[name]
        return choose(sockets, (sockets["inode"] != 0) | sockets["has_figures"])

    def _frame(self, start: int, received: int, offsets: list[int], lengths: list[int]) -> int:
        """Note the message that was received at ``start``; return where the next may go."""
        if received < _HEADER.size:
            self.malformed += 1
            return start
        length: int
        length, kind, _, _, _ = _HEADER.unpack_from(self._buffer.memory, start)
        if kind != SOCKET_MESSAGE:
            return start  # an error: no such socket
        if length > received:
            self.malformed += 1
            return start
        offsets.append(start)
        lengths.append(length)
        return start + ((length + 3) & ~3)


def _number_of(memory: memoryview, offset: int, received: int) -> int:
    if received < _HEADER.size:
        return -1
    return int.from_bytes(memory[offset + 8 : offset + 12], "little")


def _open(receive_buffer_bytes: int, groups: int) -> socket.socket:
    try:
        opened = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETLINK_SOCK_DIAG)
    except OSError as error:
        raise ReadError(f"sock_diag: {error.strerror}; load inet_diag and tcp_diag") from error
    try:
        _set_receive_buffer(opened, receive_buffer_bytes)
        opened.bind((0, groups))
    except OSError as error:
        opened.close()
        if error.errno == errno.EPERM:
            raise RightsError("hearing of closing sockets needs CAP_NET_ADMIN") from error
        raise ReadError(f"sock_diag: {error.strerror}") from error
    return opened


def _set_receive_buffer(opened: socket.socket, size_bytes: int) -> None:
    try:
        opened.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, size_bytes)
    except PermissionError:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size_bytes)
