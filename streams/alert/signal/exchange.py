"""Records of dns and l7 as signals (schemas/avro/dns.avsc, l7.avsc). What a node cut is nobody's exchange."""

from collections.abc import Mapping
from typing import Any

from streams.alert.signal.end import destination_end, service_of, source_end
from streams.alert.signal.signal import DnsSignal, HttpSignal, Place

Record = Mapping[str, Any]


def dns_signals(record: Record, place: Place | None) -> list[DnsSignal]:
    """Of a Dns record."""
    event, dns, latency = record["event"], record["dns"], record["latency"]
    if event["action"] == "cut":
        return []
    service, service_port = service_of(record["destination"])
    return [
        DnsSignal(
            place=place,
            start_ns=event["start_ns"],
            end_ns=event["end_ns"],
            source=source_end(record["source"]),
            server=destination_end(record["destination"]),
            server_port=record["destination"]["port"],
            name=dns["name"],
            code=dns["response_code"],
            count=record["count"],
            mean_us=latency["mean_us"],
            p95_us=latency["p95_us"],
            answers=tuple(dns["answers"]),
            service=service,
            service_port=service_port,
        )
    ]


def l7_signals(record: Record, place: Place | None) -> list[HttpSignal]:
    """Of an L7 record: HTTP only, of the rest nothing says how it went."""
    event, http = record["event"], record["http"]
    if event["action"] not in ("answered", "error", "unanswered"):
        return []
    destination = record["destination"]
    return [
        HttpSignal(
            place=place,
            start_ns=event["start_ns"],
            end_ns=event["end_ns"],
            source=source_end(record["source"]),
            destination=destination_end(destination),
            port=destination["port"],
            action=event["action"],
            count=record["count"],
            path=http["path"],
            status=http["status"],
            mean_us=record["latency"]["mean_us"],
            service=service_of(destination)[0],
        )
    ]
