"""Commands to run next, in the form that the command line takes: a test gives each of them to it."""

import shlex
from typing import Final

from streams.alert.fact.subject import Context
from streams.alert.signal.end import NODE, OUTSIDE, SERVICE, End

_PROTOCOLS: Final = {"tcp": "TCP", "udp": "UDP", "sctp": "SCTP", "icmp": "ICMP", "ipv6-icmp": "ICMPv6"}


def suggestions(context: Context) -> list[str]:
    """At most two, the most telling first."""
    source, destination = context.source, context.destination
    commands = []
    if source is not None and destination is not None and _is_one(source) and _is_one(destination):
        commands.append(_explain(source, destination, context))
    if source is not None and source.workload:
        commands.append(_observe(source, destination))
    elif destination is not None and destination.workload:
        commands.append(_observe(None, destination))
    return commands


def _is_one(end: End) -> bool:
    return end.name != "*"


def _explain(source: End, destination: End, context: Context) -> str:
    port = context.port or 1
    words = ["conntrail", "policy", "explain", _target(source), f"{_target(destination)}:{port}"]
    protocol = _PROTOCOLS.get(context.transport, "TCP")
    if protocol != "TCP":
        words += ["--protocol", protocol]
    if context.domain and destination.kind == OUTSIDE:
        words += ["--domain", context.domain]
    return shlex.join(words)


def _observe(source: End | None, destination: End | None) -> str:
    words = ["conntrail", "observe"]
    if source is not None:
        words += ["--from-workload", source.workload]
    if destination is not None and destination.workload:
        words += ["--to-workload", destination.workload]
    elif destination is not None and destination.kind == OUTSIDE and _is_one(destination):
        words += ["--to-ip", destination.name]
    return shlex.join([*words, "--since", "15m", "-o", "wide"])


def _target(end: End) -> str:
    if end.kind == NODE:
        return f"node/{end.name}"
    if end.kind == SERVICE:
        return f"service/{end.namespace}/{end.name}"
    if end.kind == OUTSIDE:
        return f"[{end.name}]" if ":" in end.name else end.name
    return f"{'pod' if end.kind == 'Pod' else 'workload'}/{end.namespace}/{end.name}"
