"""Decides which packets the kernel shows for their payload: DNS by port, HTTP/1, HTTP/2, TLS and SSH by first bytes.

DNS is logged before destination NAT (-100), so that a query tells what was dialled and its answer who answered, also
on kernels that attach no tuples of conntrack; applications after it, where both directions have the same ends. A
packet made here is logged at output, any other at prerouting; what goes through the loopback device, where it would
meet both, is left out. No rule accepts, drops or alters: ``return`` only leaves our own chains. DNS and applications
have a limit and a counter each, so that a flood of one does not cut the other.
"""

from dataclasses import dataclass
from typing import Final

from agents.node.payload.packet import Kind

TABLE: Final = "conntrail_payload"
DNS_COUNTER: Final = "dns_cut"
APPLICATION_COUNTER: Final = "application_cut"
DNS_BYTES: Final = 3584
"""Of a packet, its headers included, so that its log message stays within 4 KiB. Servers answer with less over UDP
(RFC 9715 advises 1,400 bytes); what is cut is told by its head alone."""
HEAD_BYTES: Final = 2048
_PRIORITIES: Final = {"dns": -190, "application": -90}
_METHODS: Final = (b"GET ", b"POST", b"PUT ", b"HEAD", b"DELE", b"PATC", b"OPTI", b"CONN", b"TRAC")
_FIRST_BYTES: Final = {
    Kind.HTTP_REQUEST: _METHODS,
    Kind.HTTP_RESPONSE: (b"HTTP",),
    Kind.HTTP2_PREFACE: (b"PRI ",),
    Kind.SSH_BANNER: (b"SSH-",),
}
_HANDSHAKE: Final = "@ih,0,16 0x1603 @ih,40,8 0x01"
"""Record of type 22 and major version 3, with a ClientHello in it (RFC 8446, 4 and 5.1)."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What is shown of a kind of traffic; None for none of it."""

    per_second: int
    ports: tuple[int, ...]
    """Empty: all."""


def render_ruleset(group: int, dns: Selection | None, application: Selection | None) -> str:
    """The nftables script that replaces our table in one transaction, whether it was there or not."""
    chains, hooks = [], []
    for name, counter, selection, rules in (
        ("dns", DNS_COUNTER, dns, _dns_rules(group, dns)),
        ("application", APPLICATION_COUNTER, application, _application_rules(group)),
    ):
        if selection is None:
            continue
        rate = selection.per_second
        cut = f"limit rate over {rate}/second burst {rate} packets counter name {counter} return"
        chains.append(_chain(f"show_{name}", [cut, *rules]))
        hooks += _hooks(name, _jumps(name, selection))
    return "\n".join(
        [
            f"add table inet {TABLE}",
            f"delete table inet {TABLE}",
            f"table inet {TABLE} {{",
            f"counter {DNS_COUNTER} {{ }}",
            f"counter {APPLICATION_COUNTER} {{ }}",
            *chains,
            *hooks,
            "}",
            "",
        ]
    )


def _hooks(name: str, jumps: list[str]) -> list[str]:
    return [
        _chain(
            f"{name}_{way}",
            [f'{interface} "lo" return', *jumps],
            f"type filter hook {hook} priority {_PRIORITIES[name]};",
        )
        for way, interface, hook in (("arriving", "iifname", "prerouting"), ("leaving", "oifname", "output"))
    ]


def _dns_rules(group: int, selection: Selection | None) -> list[str]:
    ports = _set(selection.ports) if selection else ""
    return [
        f"th dport {ports} {_log(Kind.DNS_QUERY, group, DNS_BYTES)} return",
        f"th sport {ports} {_log(Kind.DNS_ANSWER, group, DNS_BYTES)}",
    ]


def _application_rules(group: int) -> list[str]:
    rules = [
        f"@ih,0,32 {_set([int.from_bytes(word, 'big') for word in words])} {_log(kind, group, HEAD_BYTES)} return"
        for kind, words in _FIRST_BYTES.items()
    ]
    return [*rules, f"{_HANDSHAKE} {_log(Kind.TLS_HELLO, group, HEAD_BYTES)}"]


def _jumps(name: str, selection: Selection) -> list[str]:
    if name == "dns":
        ports = _set(selection.ports)
        return [f"meta l4proto {{ tcp, udp }} th {end} {ports} goto show_dns" for end in ("dport", "sport")]
    words = [int.from_bytes(word, "big") for found in _FIRST_BYTES.values() for word in found]
    ends = [f"tcp {end} {_set(selection.ports)} " for end in ("dport", "sport")] if selection.ports else [""]
    return [
        f"meta l4proto tcp {end}{match} goto show_application"
        for end in ends
        for match in (f"@ih,0,32 {_set(words)}", _HANDSHAKE)
    ]


def _log(kind: Kind, group: int, size: int) -> str:
    return f'log prefix "{kind.value}" group {group} snaplen {size}'


def _set(numbers: list[int] | tuple[int, ...]) -> str:
    return f"{{ {', '.join(map(str, numbers))} }}"


def _chain(name: str, rules: list[str], hook: str = "") -> str:
    return "\n".join([f"chain {name} {{", *([hook] if hook else []), *rules, "}"])
