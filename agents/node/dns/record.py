"""Reads the records behind the question of an answer (RFC 1035, 4.1.3), bounded, as far as they are told."""

from struct import Struct, error
from typing import Final, NamedTuple

import dns.rdataclass
import dns.rdatatype

from agents.node.attempt.address import Address, map_address
from agents.node.dns.data import ADDRESS_BYTES, DataReader
from agents.node.dns.name import NameReader, skip_labels

_FIXED: Final = Struct("!HHIH")
_COUNTS: Final = Struct("!HHH")
_COUNTS_AT: Final = 6
_DECODED: Final = 64
"""Answers of a message that are looked at; those behind, and behind names that took long, are only skipped."""
_MAXIMUM_TIME_TO_LIVE: Final = 2**31 - 1
_OPTIONS: Final = int(dns.rdatatype.OPT)
_HIGH_CODE_SHIFT: Final = 24


class Record(NamedTuple):
    """One record of the answer section."""

    owner: str
    type: int
    time_to_live_seconds: int
    text: str
    """Of its data; a name without the last dot."""
    address: Address | None = None


class _Malformed(Exception):  # noqa: N818 - no error: anyone may have written it
    """The message does not hold what it says."""


def read_records(message: bytes, at: int, names: NameReader) -> tuple[list[Record], int] | None:
    """Answer records behind the question, which ends at ``at``, and the upper bits of the response code.

    None when the message does not hold the records that it counts, or one of them is malformed.
    """
    answers, *others = _COUNTS.unpack_from(message, _COUNTS_AT)
    records: list[Record] = []
    data = DataReader(message, names)
    high_code = place = 0
    try:
        while place < min(answers, _DECODED) and not names.is_spent:
            record, at = _read_record(message, at, names, data)
            place += 1
            if record is not None:
                records.append(record)
        for skipped in range(place, answers + sum(others)):
            kind, high, at = _skip_record(message, at)
            if kind == _OPTIONS and skipped >= answers:
                high_code = high
    except (_Malformed, error):
        return None
    return records, high_code


def _read_record(message: bytes, start: int, names: NameReader, data: DataReader) -> tuple[Record | None, int]:
    """None for a record of another class than IN, and for options."""
    named = names.read(start)
    if named is None:
        raise _Malformed
    owner, at = named
    kind, class_, seconds, length = _FIXED.unpack_from(message, at)
    at += _FIXED.size
    end = at + length
    if end > len(message):
        raise _Malformed
    if class_ != dns.rdataclass.IN or kind == _OPTIONS:
        return None, end
    text = data.text(kind, at, end)
    if text is None:
        raise _Malformed
    address = map_address(message[at:end]) if kind in ADDRESS_BYTES else None
    # RFC 2181, 8: a value with the highest bit set is 0.
    return Record(owner, kind, seconds if seconds <= _MAXIMUM_TIME_TO_LIVE else 0, text, address), end


def _skip_record(message: bytes, start: int) -> tuple[int, int, int]:
    """Type, upper bits of the response code if that is OPT (RFC 6891, 6.1.3), and where it ends."""
    at = skip_labels(message, start)
    if at < 0:
        raise _Malformed
    at += 2 if message[at] else 1
    kind, _, seconds, length = _FIXED.unpack_from(message, at)
    end = at + _FIXED.size + length
    if end > len(message):
        raise _Malformed
    return kind, seconds >> _HIGH_CODE_SHIFT << 4, end
