"""Finds the network namespaces on this machine, and what one namespace knows of itself (rtnetlink)."""

import os
import socket
import struct
from dataclasses import dataclass
from typing import Final

from agents.errors import ReadError
from agents.node.attempt.address import Address
from agents.node.socket.namespace.parse import (
    DONE,
    ERROR,
    NEW_ADDRESS,
    NEW_LINK,
    NEW_NAMESPACE_ID,
    Message,
    frame,
    parse_address,
    parse_link_namespace,
    parse_namespace_id,
)
from agents.node.socket.namespace.sighting import NOWHERE, Sightings

_NAMED: Final = "/run/netns"
_HEADER: Final = struct.Struct("=IHHII")
_REQUEST, _DUMP = 0x1, 0x301
_GET_LINK, _GET_ADDRESS, _GET_NAMESPACE_ID = 18, 22, 90
_BY_DESCRIPTOR: Final = 3  # NETNSA_FD
_RECEIVE_BYTES: Final = 64 << 10
_ANSWER_SECONDS: Final = 2.0
_MAXIMUM_MESSAGES: Final = 20_000
"""A node with more links than this is not one; the rest goes unread."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A network namespace that something on this machine refers to."""

    inode: int
    path: str


@dataclass(frozen=True, slots=True)
class Described:
    """What a namespace knows of itself, seen from inside."""

    is_linked: bool
    """Whether one of its links leads to the node's namespace."""
    addresses: frozenset[Address]


def find_namespaces(sightings: Sightings, now: float) -> list[Seen]:
    """All network namespaces that have a name or a process, each once, by one of its paths.

    ``now`` in seconds of any steady clock. Raises ReadError when procfs cannot be read.
    """
    for process in sightings.due(_processes(), now):
        sightings.note(process, _inode(_path(process)), now)
    found = {inode: _path(process) for inode, process in sightings.namespaces().items()}
    found |= {inode: path for path in _named() if (inode := _inode(path)) != NOWHERE}
    return [Seen(inode, path) for inode, path in found.items()]


def describe_here(node: int) -> Described:
    """The namespace that this thread is in; ``node`` is a descriptor of the node's namespace.

    A link to the node is the proof that a namespace belongs to it: a pod's veth, macvlan or ipvlan has its other end
    there. Raises ReadError.
    """
    try:
        opened = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE)
    except OSError as error:
        raise ReadError(f"rtnetlink: {error.strerror}") from error
    with opened:
        try:
            opened.settimeout(_ANSWER_SECONDS)
            opened.bind((0, 0))
            links = {
                parse_link_namespace(body)
                for kind, body in _ask(opened, _GET_LINK, _DUMP, bytes(16))
                if kind == NEW_LINK
            }
            addresses = {
                parse_address(body) for kind, body in _ask(opened, _GET_ADDRESS, _DUMP, bytes(8)) if kind == NEW_ADDRESS
            }
            body = bytes(4) + struct.pack("=HHI", 8, _BY_DESCRIPTOR, node)
            numbers = {
                parse_namespace_id(answer)
                for kind, answer in _ask(opened, _GET_NAMESPACE_ID, _REQUEST, body)
                if kind == NEW_NAMESPACE_ID
            }
        except OSError as error:
            raise ReadError(f"rtnetlink: {error.strerror or error}") from error
    return Described(bool((links & numbers) - {None}), frozenset(address for address in addresses if address))


def _named() -> list[str]:
    try:
        return [f"{_NAMED}/{name}" for name in os.listdir(_NAMED)]  # noqa: PTH208 - names are wanted, not paths
    except OSError:  # no program here names namespaces
        return []


def _processes() -> list[str]:
    try:
        names = os.listdir("/proc")  # noqa: PTH208 - names are wanted, not paths
    except OSError as error:
        raise ReadError(f"/proc: {error.strerror}; pods' namespaces cannot be found") from error
    return [name for name in names if name.isdecimal()]


def _path(process: str) -> str:
    return f"/proc/{process}/ns/net"


def _inode(path: str) -> int:
    try:
        return os.stat(path).st_ino  # noqa: PTH116 - Path objects cost more than the call
    except OSError:  # the process ended, or it is another user's
        return NOWHERE


def _ask(opened: socket.socket, kind: int, flags: int, body: bytes) -> list[Message]:
    """All messages of one answer."""
    opened.send(_HEADER.pack(_HEADER.size + len(body), kind, flags, kind, 0) + body)
    found: list[Message] = []
    while len(found) < _MAXIMUM_MESSAGES:
        for message in frame(opened.recv(_RECEIVE_BYTES)):
            if message[0] in (DONE, ERROR):
                return found
            found.append(message)
        if flags == _REQUEST:
            return found
    return found
