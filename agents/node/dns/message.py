"""Reads DNS messages (RFC 1035), which anyone may have written: every bound is ours, whatever does not fit is None.

A query is not parsed: its identifier and its question as it lies there pair it with its answer, which repeats both.
"""

from dataclasses import dataclass
from struct import Struct
from typing import Final, NamedTuple

import dns.exception
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

from agents.node.attempt.address import Address, map_address

_HEAD: Final = Struct("!HHHHHH")
_ANSWER_BIT, _TRUNCATED_BIT, _CODE_BITS = 0x8000, 0x0200, 0x000F
_LONGEST_LABEL: Final = 63
_LONGEST_NAME: Final = 255
_TYPE_AND_CLASS_BYTES: Final = 4
_MAXIMUM_ANSWERS: Final = 32
_MAXIMUM_ANSWER_CHARACTERS: Final = 256
_MAXIMUM_NAMES: Final = 4
_MAXIMUM_TIME_TO_LIVE: Final = 2**31 - 1
_CACHED_ANSWERS: Final = 1024
_CACHED_BYTES: Final = 1024
_NAMES_TYPES: Final = (dns.rdatatype.CNAME, dns.rdatatype.NS, dns.rdatatype.PTR)
_ADDRESS_TYPES: Final = (dns.rdatatype.A, dns.rdatatype.AAAA)


class Key(NamedTuple):
    """What a query and its answer have in common."""

    identifier: int
    question: bytes
    """Name, type and class as they lie in the message."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What an answer says."""

    name: str
    type: str
    response_code: str
    answers: tuple[str, ...] = ()
    """Texts of the records' data, distinct, at most 32."""
    time_to_live_seconds: int = 0
    """Smallest among the records; 0 without any."""
    addresses: tuple[Address, ...] = ()
    names: tuple[str, ...] = ()
    """Names of the addresses: the one asked for, then those that it stands for, at most 4."""
    is_truncated: bool = False


def read_key(message: bytes) -> tuple[Key, bool] | None:
    """Key of a message with one question, and whether it is an answer; None when it is no such message."""
    if len(message) < _HEAD.size:
        return None
    identifier, flags, questions, _, _, _ = _HEAD.unpack_from(message)
    end = _skip_name(message, _HEAD.size) + _TYPE_AND_CLASS_BYTES
    if questions != 1 or end <= _HEAD.size + _TYPE_AND_CLASS_BYTES or end > len(message):
        return None
    return Key(identifier, message[_HEAD.size : end]), bool(flags & _ANSWER_BIT)


def read_question(question: bytes) -> tuple[str, str]:
    """Name and type of a key's question."""
    name, _ = dns.name.from_wire(question, 0)
    kind = int.from_bytes(question[-_TYPE_AND_CLASS_BYTES:-2], "big")
    return _text_of(name), dns.rdatatype.to_text(dns.rdatatype.RdataType.make(kind))


class AnswerParser:
    """Parses answers, and remembers the last ones: a server gives the same again and again."""

    def __init__(self) -> None:
        self._known: dict[bytes, Answer] = {}

    def parse(self, message: bytes, question: bytes, *, is_cut: bool = False) -> Answer | None:
        """The answer to a question; of a message that the kernel cut, what its head says; None when malformed."""
        content = message[2:]
        known = self._known.get(content)
        if known is not None:
            return known
        answer = _parse_head(message, question) if is_cut else _parse(message, question)
        if answer is not None and len(content) <= _CACHED_BYTES:
            if len(self._known) >= _CACHED_ANSWERS:
                self._known.clear()
            self._known[content] = answer
        return answer


def _skip_name(message: bytes, offset: int) -> int:
    """Where a name without pointers ends; 0 when it is none."""
    start = offset
    while offset < len(message) and offset - start < _LONGEST_NAME:
        length = message[offset]
        if length > _LONGEST_LABEL:
            return 0
        offset += length + 1
        if not length:
            return offset
    return 0


def _parse_head(message: bytes, question: bytes) -> Answer:
    _, flags, *_ = _HEAD.unpack_from(message)
    name, kind = read_question(question)
    code = dns.rcode.to_text(dns.rcode.Rcode.make(flags & _CODE_BITS))
    return Answer(name, kind, code, is_truncated=bool(flags & _TRUNCATED_BIT))


def _parse(message: bytes, question: bytes) -> Answer | None:
    head = _parse_head(message, question)
    try:
        parsed = dns.message.from_wire(message, ignore_trailing=True)
        code = dns.rcode.to_text(parsed.rcode())
        sets = parsed.answer[:_MAXIMUM_ANSWERS]
        texts = _texts(sets)
        names, addresses = _chain(head.name, sets)
    except (dns.exception.DNSException, ValueError, KeyError, AttributeError, IndexError, NotImplementedError):
        return None
    # RFC 2181, 8: a value with the highest bit set is 0.
    lives = [found.ttl if found.ttl <= _MAXIMUM_TIME_TO_LIVE else 0 for found in sets]
    return Answer(head.name, head.type, code, texts, min(lives, default=0), addresses, names, head.is_truncated)


def _texts(sets: list[dns.rrset.RRset]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for records in sets:
        for record in records:
            if len(found) == _MAXIMUM_ANSWERS:
                return tuple(found)
            text = _printable(record.to_text())[:_MAXIMUM_ANSWER_CHARACTERS].removesuffix(".")
            found[text.lower() if records.rdtype in _NAMES_TYPES else text] = None
    return tuple(found)


def _chain(asked: str, sets: list[dns.rrset.RRset]) -> tuple[tuple[str, ...], tuple[Address, ...]]:
    """Follow CNAMEs from the name asked for (RFC 1034, 3.6.2); addresses of other names are not its own."""
    names = [asked]
    targets = {
        _text_of(records.name): _text_of(records[0].target)
        for records in sets
        if records.rdtype == dns.rdatatype.CNAME and len(records)
    }
    while names[-1] in targets and len(names) <= _MAXIMUM_ANSWERS:
        following = targets[names[-1]]
        if following in names:
            break
        names.append(following)
    addresses = [
        map_address(record.to_wire() or b"")
        for records in sets
        if records.rdtype in _ADDRESS_TYPES and _text_of(records.name) == names[-1]
        for record in records
    ]
    return tuple(names[:_MAXIMUM_NAMES]), tuple(addresses[:_MAXIMUM_ANSWERS])


def _text_of(name: dns.name.Name) -> str:
    """Lower case, without the last dot; the root is a dot."""
    return name.to_text(omit_final_dot=len(name.labels) > 1).lower()


def _printable(text: str) -> str:
    return text.encode(errors="replace").decode()
