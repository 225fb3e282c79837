"""Finds the sockets of connections in the node's and its pods' network namespaces.

One pair of sockets stays open in each namespace. An open socket keeps its namespace alive, so a refresh lets go of
those that nothing else refers to any more.
"""

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from agents.errors import AgentError, ReadError
from agents.node.attempt.address import Address
from agents.node.namespace.reader import entered
from agents.node.report.columns import SOCKET, Sockets
from agents.node.report.key import Keys, socket_keys
from agents.node.report.rows import choose, join
from agents.node.socket.diag.question import make_questions
from agents.node.socket.diag.reader import DiagBuffer, DiagReader
from agents.node.socket.namespace.reader import Described, Seen, describe_here, find_namespaces
from agents.node.socket.namespace.sighting import Sightings
from agents.node.socket.place import Places

_MAXIMUM_NAMESPACES: Final = 400
"""Each holds two descriptors; kubelet's limit of pods on a node is 110 by default, 250 on large ones."""
_RECHECK_SECONDS: Final = 10.0
"""Addresses of a known namespace seldom change."""
_LEAST_WAIT_SECONDS: Final = 0.4
_MOST_WAIT_SECONDS: Final = 30.0
"""A namespace without a link to the node may be a pod's in the making: asked soon, then ever more seldom."""
_CLOSED_AT_ONCE: Final = 20_000


@dataclass(frozen=True, slots=True)
class NamespaceFigures:
    """What the search for namespaces came to."""

    known: int
    """Whose sockets are looked up, the node's own included."""
    foreign: int
    """Which are not this node's, or not yet."""
    skipped: int
    """For which there was no room or no right."""


@dataclass(slots=True)
class _Known:
    diag: DiagReader
    addresses: frozenset[Address]
    check_at: float


@dataclass(slots=True)
class _Foreign:
    check_at: float
    wait_seconds: float


@dataclass(slots=True)
class _Found:
    """Namespaces by inode."""

    known: dict[int, _Known] = field(default_factory=dict)
    foreign: dict[int, _Foreign] = field(default_factory=dict)
    skipped: set[int] = field(default_factory=set)


class SocketReader:
    """Sockets of the node whose network namespace is at ``netns`` (empty: this one) and of its pods."""

    def __init__(self, netns: str, receive_buffer_bytes: int) -> None:
        self._netns = netns
        self._receive_buffer_bytes = receive_buffer_bytes
        self._buffer = DiagBuffer()
        self._found = _Found()
        self._sightings = Sightings()
        self._places = Places({}, 0)
        self._node_descriptor = -1
        self._node = 0
        self._fault = ""
        self._closed: Keys = np.zeros(0, np.uint64)
        self._past_overruns = self._past_malformed = 0

    def start(self) -> None:
        """Open the node's own sockets.

        Raises RightsError without CAP_NET_ADMIN, ReadError when the path is no namespace or the kernel lacks sock_diag.
        """
        path = self._netns or "/proc/self/ns/net"
        try:
            self._node_descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise ReadError(f"network namespace {path}: {error.strerror}") from error
        try:
            self._node = os.fstat(self._node_descriptor).st_ino
            self._enter(Seen(self._node, path), time.monotonic())
            self._place()
        except AgentError:
            self.close()
            raise

    def refresh_namespaces(self) -> None:
        """Take in new pods' namespaces, let go of vanished ones, read addresses again.

        Raises ReadError when procfs cannot be read, or when not one of the namespaces could be entered.
        """
        now = time.monotonic()
        seen = find_namespaces(self._sightings, now)
        self._forget({namespace.inode for namespace in seen} | {self._node})
        self._found.skipped.clear()
        faults = [fault for namespace in seen if (fault := self._visit(namespace, now))]
        if self._node not in {namespace.inode for namespace in seen}:
            self._visit(Seen(self._node, self._netns or "/proc/self/ns/net"), now)
        self._place()
        if faults and len(faults) == len(self._found.skipped) and len(self._found.known) == 1:
            raise ReadError(faults[0])

    def look_up(self, rows: npt.NDArray[np.void]) -> Sockets:
        """Sockets at both ends of connections (columns TUPLES), as far as they are on this node.

        What was told as closed just now is not asked for: most connections are that short. Raises ReadError when the
        kernel does not answer.
        """
        questions = make_questions(rows)
        questions = choose(questions, ~np.isin(socket_keys(questions), self._closed))
        pieces: list[Sockets] = []
        for inode, indices in self._places.split(questions).items():
            pieces.append(self._found.known[inode].diag.ask(choose(questions, indices)))
        return join(pieces, SOCKET)

    def take_closed(self) -> Sockets:
        """TCP sockets that closed since the last call, with their final figures, without inode and cgroup."""
        pieces: list[Sockets] = []
        taken = 0
        for known in self._found.known.values():
            while taken < _CLOSED_AT_ONCE and len(closed := known.diag.take_closed()):
                pieces.append(closed)
                taken += len(closed)
        closed = join(pieces, SOCKET)
        self._closed = socket_keys(closed)
        return closed

    def filenos(self) -> list[int]:
        """Descriptors that become readable when sockets have closed."""
        return [known.diag.fileno() for known in self._found.known.values()]

    @property
    def namespaces(self) -> NamespaceFigures:
        """What the last search came to."""
        found = self._found
        return NamespaceFigures(len(found.known), len(found.foreign), len(found.skipped))

    @property
    def overruns(self) -> int:
        """Times that closing sockets came faster than they were read, since the start."""
        return self._past_overruns + sum(known.diag.overruns for known in self._found.known.values())

    @property
    def malformed(self) -> int:
        """Messages that could not be read, since the start."""
        return self._past_malformed + sum(known.diag.malformed for known in self._found.known.values())

    def close(self) -> None:
        """Let go of all namespaces."""
        self._forget(())
        self._found = _Found()
        if self._node_descriptor >= 0:
            os.close(self._node_descriptor)
            self._node_descriptor = -1

    def _visit(self, namespace: Seen, now: float) -> str:
        """Look at one namespace when it is due; return what hindered, empty when nothing did."""
        known = self._found.known.get(namespace.inode)
        foreign = self._found.foreign.get(namespace.inode)
        due_at = known.check_at if known else foreign.check_at if foreign else now
        if now < due_at:
            return ""
        if known is None and len(self._found.known) >= _MAXIMUM_NAMESPACES:
            self._found.skipped.add(namespace.inode)
            return ""
        try:
            self._enter(namespace, now)
        except AgentError as error:
            self._found.skipped.add(namespace.inode)
            return str(error)
        return ""

    def _enter(self, namespace: Seen, now: float) -> None:
        try:
            descriptor = os.open(namespace.path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return
        except OSError as error:
            raise ReadError(f"network namespace {namespace.path}: {error.strerror}") from error
        try:
            if os.fstat(descriptor).st_ino == namespace.inode:  # else the process has gone and its number is another's
                with entered(f"/proc/self/fd/{descriptor}"):
                    self._take_in(namespace.inode, describe_here(self._node_descriptor), now)
        finally:
            os.close(descriptor)

    def _take_in(self, inode: int, described: Described, now: float) -> None:
        """Note what was seen inside; this thread is still there."""
        found = self._found
        known = found.known.get(inode)
        if known is not None:
            known.addresses, known.check_at = described.addresses, now + _RECHECK_SECONDS
        elif described.is_linked or inode == self._node:
            wait_seconds = _RECHECK_SECONDS if described.addresses else 0.0
            diag = DiagReader(self._buffer, self._receive_buffer_bytes)
            found.known[inode] = _Known(diag, described.addresses, now + wait_seconds)
            found.foreign.pop(inode, None)
        else:
            before = found.foreign.get(inode)
            wait = min(before.wait_seconds * 2, _MOST_WAIT_SECONDS) if before else _LEAST_WAIT_SECONDS
            found.foreign[inode] = _Foreign(now + wait, wait)

    def _forget(self, living: Iterable[int]) -> None:
        living = set(living)
        found = self._found
        for inode in found.known.keys() - living:
            diag = found.known.pop(inode).diag
            self._past_overruns += diag.overruns
            self._past_malformed += diag.malformed
            diag.close()
        found.foreign = {inode: foreign for inode, foreign in found.foreign.items() if inode in living}

    def _place(self) -> None:
        addresses = {inode: known.addresses for inode, known in self._found.known.items()}
        self._places = Places(addresses, self._node)
