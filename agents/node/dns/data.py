"""Texts of records' data, which anyone may have written: those of dnspython, within a bound of time and memory.

Addresses, names and TXT, nearly all that is asked for, are read here; dnspython reads data of class IN and of the other
types that programs ask for, some of each message. For every pair of class and type that it meets it keeps a class for
ever, and looks for a module: whoever sends it all pairs has our memory and our time. Of some types it writes much more
than it reads: lists of types (NSEC and its like) grow thirtyfold and take 10 ms.
"""

from typing import Final

import dns.exception
import dns.ipv6
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from agents.node.dns.name import NameReader

ADDRESS_BYTES: Final[dict[int, int]] = {dns.rdatatype.A: 4, dns.rdatatype.AAAA: 16}
"""By type."""
LONGEST_TEXT: Final = 256
_LONGEST_HEX: Final = 64
_NAMES: Final = frozenset({dns.rdatatype.CNAME, dns.rdatatype.NS, dns.rdatatype.PTR})
_FOREIGN: Final = frozenset(
    int(kind)
    for kind in (
        dns.rdatatype.CAA, dns.rdatatype.DNAME, dns.rdatatype.DNSKEY, dns.rdatatype.DS, dns.rdatatype.HTTPS,
        dns.rdatatype.MX, dns.rdatatype.NAPTR, dns.rdatatype.RRSIG, dns.rdatatype.SOA, dns.rdatatype.SRV,
        dns.rdatatype.SSHFP, dns.rdatatype.SVCB, dns.rdatatype.TLSA, dns.rdatatype.URI,
    )
)  # fmt: skip
"""Types that dnspython reads, in a time that goes with their data and text."""
_ESCAPED: Final = tuple(
    f"\\{chr(byte)}" if byte in b'"\\' else chr(byte) if 0x20 <= byte < 0x7F else f"\\{byte:03}"  # noqa: PLR2004 - ASCII
    for byte in range(256)
)
"""Of quoted strings, RFC 1035, 5.1."""
_FOREIGN_BYTES: Final = 1024
"""Data of a message that dnspython reads; what is behind is told in hex. Data count as their text where that is longer:
a pointer in two bytes may have it read hundreds."""
_LEAST_FOREIGN_BYTES: Final = 64
"""As which shorter data count."""


class DataReader:
    """Reads data of the records of one message."""

    def __init__(self, message: bytes, names: NameReader) -> None:
        self._message = message
        self._names = names
        self._foreign_left = _FOREIGN_BYTES

    def text(self, kind: int, at: int, end: int) -> str | None:
        """Of the data of a type between two places, at most 256 characters, a name without the last dot.

        None when they are malformed.
        """
        if kind in ADDRESS_BYTES:
            return _address(self._message[at:end], kind)
        if kind in _NAMES:
            target = self._names.read(at)
            return target[0] if target is not None and target[1] == end else None
        if kind == dns.rdatatype.TXT:
            return _strings(self._message[at:end])
        if kind not in _FOREIGN or self._foreign_left < max(end - at, _LEAST_FOREIGN_BYTES):  # RFC 3597, 5
            return f"\\# {end - at} {self._message[at : min(end, at + _LONGEST_HEX)].hex()}"
        return self._foreign(kind, at, end)

    def _foreign(self, kind: int, at: int, end: int) -> str | None:
        """What lies behind the record is nobody's business; what lies before may be pointed to."""
        typed = dns.rdatatype.RdataType(kind)
        try:
            data = dns.rdata.from_wire(dns.rdataclass.IN, typed, self._message[:end], at, end - at)
            text = data.to_text()
        except (dns.exception.DNSException, ValueError, KeyError, AttributeError, IndexError, NotImplementedError):
            return None
        self._foreign_left -= max(end - at, len(text), _LEAST_FOREIGN_BYTES)
        return text[:LONGEST_TEXT]


def _address(data: bytes, kind: int) -> str | None:
    if len(data) != ADDRESS_BYTES[kind]:
        return None
    return "{}.{}.{}.{}".format(*data) if kind == dns.rdatatype.A else dns.ipv6.inet_ntoa(data)


def _strings(data: bytes) -> str | None:
    """One after another, each behind its length (RFC 1035, 3.3.14), as far as they are told."""
    texts: list[str] = []
    at, told = 0, 0
    while at < len(data):
        end = at + 1 + data[at]
        if end > len(data):
            return None
        if told <= LONGEST_TEXT:
            texts.append(f'"{"".join(map(_ESCAPED.__getitem__, data[at + 1 : end]))}"')
            told += len(texts[-1]) + 1
        at = end
    return " ".join(texts)[:LONGEST_TEXT] if texts else None
