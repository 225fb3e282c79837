"""What pyroute2's own decoder says of a conntrack message, in our fields; and messages recorded from a kernel."""

import gzip
import struct
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from pyroute2.netlink.nfnetlink.nfctsocket import nfct_msg

from agents.node.conntrack.entry import ENTRY

RECORDED = Path(__file__).parent / "recorded"
_DIRECTIONS = {"original": "CTA_TUPLE_ORIG", "reply": "CTA_TUPLE_REPLY"}
_ENDS = {"source": "SRC", "destination": "DST"}


class Message(nfct_msg):  # type: ignore[misc] - pyroute2 is not typed
    """pyroute2 does not know the zone of one direction."""

    class cta_tuple(nfct_msg.cta_tuple):  # type: ignore[misc] # noqa: N801 - the name that pyroute2 looks for
        nla_map = (*nfct_msg.cta_tuple.nla_map, ("CTA_TUPLE_ZONE", "be16"))


def expected(data: bytes) -> dict[str, Any]:
    """Every field of ENTRY, by pyroute2; 0 where the message does not tell."""
    message = Message(data)
    message.decode()

    def get(*path: str) -> Any:
        value = message
        for name in path:
            value = None if value is None else value.get_attr(name)
        return value

    values: dict[str, Any] = {"family": message["nfgen_family"]}
    for ours, theirs in _DIRECTIONS.items():
        for end, short in _ENDS.items():
            number = _number(get(theirs, "CTA_TUPLE_IP", f"CTA_IP_V4_{short}"))
            number = number or _number(get(theirs, "CTA_TUPLE_IP", f"CTA_IP_V6_{short}"))
            values[f"{ours}_{end}_high"], values[f"{ours}_{end}_low"] = divmod(number, 1 << 64)
            values[f"{ours}_{end}_port"] = get(theirs, "CTA_TUPLE_PROTO", f"CTA_PROTO_{short}_PORT") or 0
        counters = theirs.replace("TUPLE", "COUNTERS")
        values[f"{ours}_packets"] = get(counters, "CTA_COUNTERS_PACKETS") or 0
        values[f"{ours}_bytes"] = get(counters, "CTA_COUNTERS_BYTES") or 0
    protocol = "CTA_TUPLE_ORIG", "CTA_TUPLE_PROTO"
    values["protocol"] = get(*protocol, "CTA_PROTO_NUM")
    for name in ("id", "type", "code"):
        four, six = (get(*protocol, f"CTA_PROTO_{kind}_{name.upper()}") for kind in ("ICMP", "ICMPV6"))
        values[f"icmp_{name}"] = four or six or 0
    zones = (get("CTA_ZONE"), get("CTA_TUPLE_ORIG", "CTA_TUPLE_ZONE"), get("CTA_TUPLE_REPLY", "CTA_TUPLE_ZONE"))
    values["zone"] = next((zone for zone in zones if zone is not None), 0)
    for name in ("id", "status", "timeout", "mark"):
        values[name] = get(f"CTA_{name.upper()}") or 0
    values["tcp_state"] = get("CTA_PROTOINFO", "CTA_PROTOINFO_TCP", "CTA_PROTOINFO_TCP_STATE") or 0
    values["has_counters"] = get("CTA_COUNTERS_ORIG") is not None
    values["started_at_ns"] = get("CTA_TIMESTAMP", "CTA_TIMESTAMP_START") or 0
    values["stopped_at_ns"] = get("CTA_TIMESTAMP", "CTA_TIMESTAMP_STOP") or 0
    return values


def fields(row: Any) -> dict[str, Any]:
    """A row of ENTRY as plain values."""
    return dict(zip(ENTRY.names or (), row.item(), strict=True))


def recording(name: str) -> list[bytes]:
    """Messages of one recording, in the order in which the kernel told them."""
    return list(split(gzip.decompress((RECORDED / f"{name}.gz").read_bytes())))


def split(data: bytes) -> Iterator[bytes]:
    """Messages that lie end to end."""
    position = 0
    while position < len(data):
        size = struct.unpack_from("=I", data, position)[0]
        yield data[position : position + size]
        position += (size + 3) & ~3


def _number(address: str | None) -> int:
    """An IPv4 address is mapped, as RFC 4291 section 2.5.5.2 says."""
    if address is None:
        return 0
    parsed = ip_address(address)
    return int(parsed) | (0xFFFF_0000_0000 if parsed.version == 4 else 0)
