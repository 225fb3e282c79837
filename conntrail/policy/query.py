"""A line of the questions' file, and the answer that goes out in its place."""

import json
from collections.abc import Mapping
from dataclasses import replace

from conntrail.errors import CommandError
from conntrail.policy.manifest import Cluster, addresses_of
from streams.policy.network import Address, parse_address
from streams.policy.question import End, Question
from streams.policy.trace import Side, Trace

_LAST_PORT = 65535
_PROTOCOLS = {"ICMPV6": "ICMPv6", "1": "ICMP", "6": "TCP", "17": "UDP", "58": "ICMPv6", "132": "SCTP", "UDPLITE": "136"}


def parse_question(line: str, cluster: Cluster) -> Question:
    """Read one question. Raise CommandError that says which part of it is wrong."""
    try:
        raw = json.loads(line)
    except ValueError as error:
        raise CommandError(f"not JSON: {error}") from None
    if not isinstance(raw, dict):
        raise CommandError("expected an object with source, destination, protocol and port")
    source, destination = _parse_end(raw, "source", cluster), _parse_end(raw, "destination", cluster)
    protocol, port = raw.get("protocol", "TCP"), raw.get("port", 0)
    if not isinstance(protocol, str):
        raise CommandError(f"protocol: expected TCP, UDP, SCTP or another name, got {protocol!r}")
    if not isinstance(port, int) or isinstance(port, bool) or not 0 <= port <= _LAST_PORT:
        raise CommandError(f"port: expected a number from 0 to {_LAST_PORT}, got {port!r}")
    request, query = _parse_request(raw.get("http")), _parse_query(raw.get("dns"))
    if request is not None and query is not None:
        raise CommandError("http, dns: a question has one of them at most")
    return Question(
        _with_address(source, destination.address),
        _with_node(_with_address(destination, source.address), cluster),
        _PROTOCOLS.get(protocol.upper(), protocol.upper()),
        port,
        request,
        query,
    )


def _parse_request(raw: object) -> tuple[str, str] | None:
    if raw is None:
        return None
    method, path = (raw.get("method"), raw.get("path")) if isinstance(raw, dict) else (None, None)
    if not isinstance(method, str) or not isinstance(path, str):
        raise CommandError("http: expected an object with method and path")
    return method, path


def _parse_query(raw: object) -> str | None:
    if raw is None:
        return None
    name = raw.get("name") if isinstance(raw, dict) else None
    if not isinstance(name, str):
        raise CommandError("dns: expected an object with name")
    return name


def _parse_end(raw: Mapping[str, object], side: str, cluster: Cluster) -> End:
    end = raw.get(side)
    if not isinstance(end, dict):
        raise CommandError(f"{side}: expected an object with pod and address")
    name, text = end.get("pod") or "", end.get("address") or ""
    if name and name not in cluster.pods:
        raise CommandError(f"{side}.pod: no pod {name!r} in the objects given")
    address = parse_address(text) if isinstance(text, str) else None
    if text and address is None:
        raise CommandError(f"{side}.address: {text!r} is no IP address")
    if not name and address is None:
        raise CommandError(f"{side}: needs a pod or an address")
    domains = end.get("domains") or []
    if not isinstance(domains, list) or not all(isinstance(domain, str) for domain in domains):
        raise CommandError(f"{side}.domains: expected a list of names")
    return End(cluster.pods[name] if name else None, address, tuple(domains))


def _with_address(end: End, other: Address | None) -> End:
    """A pod named without its address uses the one of the other end's family, else its first."""
    if end.address is not None or end.endpoint is None:
        return end
    own = addresses_of(end.endpoint)
    same_family = [address for address in own if other is not None and address.version == other.version]
    return replace(end, address=next(iter([*same_family, *own]), None))


def _with_node(destination: End, cluster: Cluster) -> End:
    """Rules may name nodes as destinations; a source that is no pod is judged by its address alone."""
    if destination.endpoint is not None or destination.address is None:
        return destination
    return replace(destination, endpoint=cluster.nodes.get(destination.address))


def render_answer(trace: Trace) -> dict[str, object]:
    """The answer as the command prints it."""
    return {
        "egress": _render_side(trace.egress, trace.pending_egress),
        "ingress": _render_side(trace.ingress, trace.pending_ingress),
    }


def _render_side(side: Side, pending: Side) -> dict[str, object]:
    """What no policy selects is let through; what staged policies would say is shown where it differs."""
    answer: dict[str, object] = {
        "action": "allow" if side.action == "none" else side.action,
        "policies": [str(hit) for hit in side.hits],
        "pending": "allow" if pending.action == "none" else pending.action,
    }
    return answer if pending == side else {**answer, "pending_policies": [str(hit) for hit in pending.hits]}
