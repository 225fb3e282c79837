"""Reads DNS messages (RFC 1035), which anyone may have written: every bound is ours, whatever does not fit is None.

A query is not parsed: its identifier and its question as it lies there pair it with its answer, which repeats both.
"""

from dataclasses import dataclass
from functools import lru_cache
from struct import Struct
from typing import Final, NamedTuple

import dns.rcode
import dns.rdatatype

from agents.node.attempt.address import Address
from agents.node.dns.name import NameReader, read_name, skip_labels
from agents.node.dns.record import Record, read_records

_HEAD: Final = Struct("!HHHHHH")
_ANSWER_BIT, _TRUNCATED_BIT, _CODE_BITS = 0x8000, 0x0200, 0x000F
_TYPE_AND_CLASS_BYTES: Final = 4
_MAXIMUM_ANSWERS: Final = 32
_MAXIMUM_ANSWER_CHARACTERS: Final = 256
_MAXIMUM_NAMES: Final = 4
_CACHED_ANSWERS: Final = 1024
_CACHED_BYTES: Final = 1024
_CACHED_WORDS: Final = 1024


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
    name_end = skip_labels(message, _HEAD.size)
    end = name_end + 1 + _TYPE_AND_CLASS_BYTES
    if questions != 1 or name_end < 0 or message[name_end] or end > len(message):
        return None  # nothing stands before a question that a pointer could lead to
    return Key(identifier, message[_HEAD.size : end]), bool(flags & _ANSWER_BIT)


def read_question(question: bytes) -> tuple[str, str]:
    """Name and type of a key's question; no name when it is too long for one."""
    named = read_name(question, 0)
    return named[0] if named else "", _type_text(int.from_bytes(question[-_TYPE_AND_CLASS_BYTES:-2], "big"))


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


def _parse_head(message: bytes, question: bytes) -> Answer:
    _, flags, *_ = _HEAD.unpack_from(message)
    name, kind = read_question(question)
    return Answer(name, kind, _code_text(flags & _CODE_BITS), is_truncated=bool(flags & _TRUNCATED_BIT))


def _parse(message: bytes, question: bytes) -> Answer | None:
    head = _parse_head(message, question)
    names = NameReader(message)
    names.read(_HEAD.size)  # most records belong to it
    found = read_records(message, _HEAD.size + len(question), names)
    if found is None:
        return None
    records, high_code = found
    code = _code_text(int.from_bytes(message[2:4], "big") & _CODE_BITS | high_code)
    aliases, addresses = _chain(head.name, records)
    least = min((record.time_to_live_seconds for record in records), default=0)
    return Answer(head.name, head.type, code, _texts(records), least, addresses, aliases, head.is_truncated)


def _texts(records: list[Record]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for record in records:
        found[_printable(record.text)[:_MAXIMUM_ANSWER_CHARACTERS].removesuffix(".")] = None
        if len(found) == _MAXIMUM_ANSWERS:
            break
    return tuple(found)


def _chain(asked: str, records: list[Record]) -> tuple[tuple[str, ...], tuple[Address, ...]]:
    """Follow CNAMEs from the name asked for (RFC 1034, 3.6.2); addresses of other names are not its own."""
    names = [asked]
    targets: dict[str, str] = {}
    for record in records:
        if record.type == dns.rdatatype.CNAME:
            targets.setdefault(record.owner, record.text)
    while names[-1] in targets and len(names) <= _MAXIMUM_ANSWERS:
        following = targets[names[-1]]
        if following in names:
            break
        names.append(following)
    addresses = {record.address: None for record in records if record.address is not None and record.owner == names[-1]}
    return tuple(names[:_MAXIMUM_NAMES]), tuple(addresses)[:_MAXIMUM_ANSWERS]


@lru_cache(_CACHED_WORDS)
def _type_text(kind: int) -> str:
    return dns.rdatatype.to_text(dns.rdatatype.RdataType.make(kind))


@lru_cache(_CACHED_WORDS)
def _code_text(code: int) -> str:
    return dns.rcode.to_text(dns.rcode.Rcode.make(code))


def _printable(text: str) -> str:
    return text.encode(errors="replace").decode()
