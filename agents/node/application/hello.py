"""Reads a ClientHello (RFC 8446, 4.1.2) from the first bytes of a TLS connection, as far as they are there.

Server name by RFC 6066, 3; protocols by RFC 7301, 3.1; reserved GREASE values (RFC 8701) are left out everywhere.
"""

from dataclasses import dataclass
from typing import Final

from agents.node.application.head import HOST_LENGTH, clean_text

_HANDSHAKE_RECORD: Final = 22
_CLIENT_HELLO: Final = 1
_RECORD_HEAD: Final = 5
_HANDSHAKE_HEAD: Final = 4
_RECORDS: Final = 16
"""A hello that is spread over more records is not read to its end."""
_RANDOM_BYTES: Final = 32
_SERVER_NAME: Final = 0
_SIGNATURE_ALGORITHMS: Final = 13
_PROTOCOLS: Final = 16
_SUPPORTED_VERSIONS: Final = 43
_HOST_NAME: Final = 0
_MOST_PROTOCOLS: Final = 8
_PROTOCOL_LENGTH: Final = 32
_GREASE_MASK: Final = 0x0F0F
_GREASE: Final = 0x0A0A


@dataclass(frozen=True, slots=True)
class ClientHello:
    """What the client offers, in its order, without GREASE."""

    legacy_version: int
    versions: tuple[int, ...]
    """Extension supported_versions; empty when it is not there."""
    ciphers: tuple[int, ...]
    extensions: tuple[int, ...]
    """Types."""
    signature_algorithms: tuple[int, ...]
    server_name: str
    protocols: tuple[bytes, ...]
    """ALPN."""
    is_complete: bool
    """Nothing was cut; else what lies behind the cut is missing."""

    @property
    def version(self) -> int:
        """The highest that is offered."""
        return max(self.versions, default=self.legacy_version)

    @property
    def protocol_names(self) -> tuple[str, ...]:
        """ALPN as texts, at most 8 of 32 characters."""
        return tuple(clean_text(name, _PROTOCOL_LENGTH) for name in self.protocols[:_MOST_PROTOCOLS])


class _Short(Exception):  # noqa: N818 - no error: the data ends
    """The data end before the structure does."""


class _Bytes:
    """Reads from the front."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def __bool__(self) -> bool:
        return self._at < len(self._data)

    def take(self, length: int) -> bytes:
        if self._at + length > len(self._data):
            raise _Short
        self._at += length
        return self._data[self._at - length : self._at]

    def number(self, length: int) -> int:
        return int.from_bytes(self.take(length), "big")

    def vector(self, length_bytes: int) -> bytes:
        return self.take(self.number(length_bytes))


class _Facts:
    """Fills while the hello is read, so that a cut leaves what came before it."""

    def __init__(self) -> None:
        self.legacy_version = 0
        self.ciphers: tuple[int, ...] = ()
        self.extensions: list[int] = []
        self.bodies: dict[int, bytes] = {}


def parse_hello(payload: bytes) -> ClientHello | None:
    """None for what is no ClientHello or breaks its own lengths."""
    handshake, is_whole = _handshake(payload)
    if len(handshake) < _HANDSHAKE_HEAD or handshake[0] != _CLIENT_HELLO:
        return None
    length = int.from_bytes(handshake[1:_HANDSHAKE_HEAD], "big")
    body = handshake[_HANDSHAKE_HEAD : _HANDSHAKE_HEAD + length]
    is_complete = len(body) == length
    facts = _Facts()
    try:
        _read(_Bytes(body), facts, is_complete)
    except _Short:
        if is_complete or is_whole:
            return None
    if not facts.legacy_version:
        return None
    return _hello(facts, is_complete)


def _handshake(payload: bytes) -> tuple[bytes, bool]:
    """Contents of the handshake records at the front, and whether something else than a handshake ended them."""
    parts: list[bytes] = []
    at = 0
    for _ in range(_RECORDS):
        head = payload[at : at + _RECORD_HEAD]
        if len(head) < _RECORD_HEAD:
            break
        if head[0] != _HANDSHAKE_RECORD:
            return b"".join(parts), True
        begin = at + _RECORD_HEAD
        at = begin + int.from_bytes(head[3:], "big")
        parts.append(payload[begin:at])
    return b"".join(parts), False


def _read(data: _Bytes, facts: _Facts, is_complete: bool) -> None:
    facts.legacy_version = data.number(2)
    data.take(_RANDOM_BYTES)
    data.vector(1)  # session
    facts.ciphers = _numbers(data.vector(2))
    data.vector(1)  # compression
    if not data:
        return  # a hello without extensions, as before TLS 1.2
    length = data.number(2)
    extensions = _Bytes(data.take(length)) if is_complete else data
    while extensions:
        kind = extensions.number(2)
        body = extensions.vector(2)
        if not _is_grease(kind):
            facts.extensions.append(kind)
            facts.bodies.setdefault(kind, body)


def _hello(facts: _Facts, is_complete: bool) -> ClientHello | None:
    bodies = facts.bodies
    try:
        return ClientHello(
            legacy_version=facts.legacy_version,
            versions=_listed(bodies, _SUPPORTED_VERSIONS, 1),
            ciphers=facts.ciphers,
            extensions=tuple(facts.extensions),
            signature_algorithms=_listed(bodies, _SIGNATURE_ALGORITHMS, 2),
            server_name=_server_name(bodies.get(_SERVER_NAME, b"")),
            protocols=_protocols(bodies.get(_PROTOCOLS, b"")),
            is_complete=is_complete,
        )
    except _Short:
        return None


def _listed(bodies: dict[int, bytes], kind: int, length_bytes: int) -> tuple[int, ...]:
    body = bodies.get(kind)
    return _numbers(_Bytes(body).vector(length_bytes)) if body else ()


def _server_name(body: bytes) -> str:
    if not body:
        return ""
    names = _Bytes(_Bytes(body).vector(2))
    while names:
        kind, name = names.number(1), names.vector(2)
        if kind == _HOST_NAME:
            return clean_text(name, HOST_LENGTH)
    return ""


def _protocols(body: bytes) -> tuple[bytes, ...]:
    if not body:
        return ()
    listed = _Bytes(_Bytes(body).vector(2))
    names = []
    while listed:
        name = listed.vector(1)
        if len(name) != 2 or not _is_grease(int.from_bytes(name, "big")):  # noqa: PLR2004 - as long as a GREASE value
            names.append(name)
    return tuple(names)


def _numbers(data: bytes) -> tuple[int, ...]:
    numbers = (int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data) - 1, 2))
    return tuple(number for number in numbers if not _is_grease(number))


def _is_grease(number: int) -> bool:
    return number & _GREASE_MASK == _GREASE and number >> 8 == number & 0xFF
