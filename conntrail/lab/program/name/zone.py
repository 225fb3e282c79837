"""What a DNS server of the lab knows, and its answer to one message (RFC 1035). Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

_PLAIN_BYTES: Final = 512
"""Of an answer over UDP to a client that does not say how much it takes (RFC 1035, 2.3.4)."""
_TIME_TO_LIVE_SECONDS: Final = 30
_MOST_ALIASES: Final = 8
_ORIGIN: Final = "cluster.local"
_AUTHORITY: Final = f"ns.dns.{_ORIGIN}. hostmaster.{_ORIGIN}. 1 7200 1800 86400 30"
Records = Mapping[str, Mapping[str, tuple[str, ...]]]
"""Name, lower case and without the last dot; type; values."""


@dataclass(frozen=True, slots=True)
class Zone:
    """All names that are known; every other one does not exist."""

    records: Records = field(default_factory=dict)
    failing: frozenset[str] = frozenset()
    """Names that are answered with SERVFAIL."""
    silent: frozenset[str] = frozenset()
    """Names that are never answered."""

    def chain(self, name: str) -> Iterator[tuple[str, Mapping[str, tuple[str, ...]]]]:
        """A name and those that it is another name of, with their records; ends at one that does not exist."""
        for _ in range(_MOST_ALIASES):
            records = self.records.get(name)
            if records is None:
                return
            yield name, records
            if "CNAME" not in records:
                return
            name = records["CNAME"][0]

    def values(self, name: str, kind: str) -> tuple[str, ...]:
        """Addresses, or other values, that a name leads to; none when there are none."""
        return next((records[kind] for _, records in self.chain(name) if kind in records), ())

    def is_answered(self, name: str) -> bool:
        """Whether the name exists and its question gets an answer without error."""
        return name in self.records and name not in self.failing | self.silent


def answer(zone: Zone, wire: bytes, *, is_datagram: bool) -> bytes | None:
    """The answer to a message; None for what is no question, and for a name that is never answered.

    A datagram that would be longer than the client takes is cut, with the TC bit (RFC 6891, 6.2.3).
    """
    try:
        asked = dns.message.from_wire(wire)
    except dns.exception.DNSException:
        return None
    if len(asked.question) != 1 or asked.flags & dns.flags.QR:
        return None
    question = asked.question[0]
    name = question.name.to_text(omit_final_dot=True).lower()
    if name in zone.silent:
        return None
    response = dns.message.make_response(asked, recursion_available=True)
    response.flags |= dns.flags.AA
    if name in zone.failing:
        response.set_rcode(dns.rcode.SERVFAIL)
    else:
        _fill(zone, response, name, dns.rdatatype.to_text(question.rdtype))
    limit = max(asked.payload, _PLAIN_BYTES) if is_datagram else 0
    return response.to_wire(max_size=limit, prefer_truncation=True)


def _fill(zone: Zone, response: dns.message.Message, name: str, kind: str) -> None:
    links = list(zone.chain(name))
    if not links:
        response.set_rcode(dns.rcode.NXDOMAIN)
    for link, records in links:
        for found in dict.fromkeys(("CNAME", kind)):
            if records.get(found):
                response.answer.append(_set(link, found, records[found]))
    if not response.answer:
        response.authority.append(_set(_ORIGIN, "SOA", (_AUTHORITY,)))


def _set(name: str, kind: str, values: tuple[str, ...]) -> dns.rrset.RRset:
    texts = [f"{value}." if kind == "CNAME" else value for value in values]
    return dns.rrset.from_text_list(dns.name.from_text(name), _TIME_TO_LIVE_SECONDS, "IN", kind, texts)
