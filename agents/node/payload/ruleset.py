"""Decides which packets the kernel shows for their payload: DNS by port, HTTP/1, HTTP/2, TLS and SSH by first bytes.

DNS is logged before destination NAT (-100), so that a query tells what was dialled and its answer who answered, also
on kernels that attach no tuples of conntrack; applications after it, where both directions have the same ends. A
packet made here is logged at output, any other at prerouting; what goes through the loopback device, where it would
meet both, is left out. No rule accepts, drops or alters: ``return`` only leaves our own chains. DNS and applications
have a chain each with a limit and a counter, so that a flood of one does not cut the other.

The kernel gives no time to a packet that is made here. So a sample of the answers that are made here, as by a cache in
the host's network, is shown in a group of its own at once, which gives them the time of its reading.

Clients of HTTP/2 send their first request with the preface or in one of the packets after it. Those are shown too, from
clients that are remembered for a moment, up to the first packet that begins with a request.
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
_SAMPLE_PER_SECOND: Final = 50
"""Each wakes the agent."""
_PRIORITIES: Final = {"dns": -190, "application": -90}
_METHODS: Final = (b"GET ", b"POST", b"PUT ", b"HEAD", b"DELE", b"PATC", b"OPTI", b"CONN", b"TRAC")
_FIRST_BYTES: Final = {
    Kind.HTTP_REQUEST: _METHODS,
    Kind.HTTP_RESPONSE: (b"HTTP",),
    Kind.HTTP2_PREFACE: (b"PRI ",),
    Kind.SSH_BANNER: (b"SSH-",),
}
_FRAMES: Final = "@ih,0,8 0x00 @ih,24,8 { 0x01, 0x02, 0x04, 0x06, 0x08 }"
"""HTTP/2 frames that a client begins with, shorter than 64 KiB: HEADERS, PRIORITY, SETTINGS, PING and WINDOW_UPDATE
(RFC 9113, 4.1 and 6)."""
_HEADERS_FRAME: Final = "@ih,24,8 0x01"
_HTTP2_CLIENTS: Final = {"ip": ("http2_ipv4", "ipv4_addr"), "ip6": ("http2_ipv6", "ipv6_addr")}
"""Set of the clients of an address family, and the type of its addresses."""
_HTTP2_CLIENTS_LIMIT: Final = 4_096
_HTTP2_CLIENTS_TIMEOUT: Final = "5s"
_HANDSHAKE: Final = "@ih,0,16 0x1603 @ih,40,8 0x01"
"""Record of type 22 and major version 3, with a ClientHello in it (RFC 8446, 4 and 5.1)."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What is shown of a kind of traffic; None for none of it."""

    per_second: int
    ports: tuple[int, ...]
    """Empty: all."""


@dataclass(frozen=True, slots=True)
class Groups:
    """Log groups: of payloads, and of the answers that are to be timed by their reading."""

    payload: int
    prompt: int | None
    """None when nobody would read it: then all answers are shown in the other."""


def render_ruleset(groups: Groups, dns: Selection | None, application: Selection | None) -> str:
    """The nftables script that replaces our table in one transaction, whether it was there or not."""
    group = groups.payload
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
        sample = _sample(groups.prompt, selection) if name == "dns" and groups.prompt is not None else []
        hooks += _hooks(name, _jumps(name, selection), sample)
    return "\n".join(
        [
            f"add table inet {TABLE}",
            f"delete table inet {TABLE}",
            f"table inet {TABLE} {{",
            f"counter {DNS_COUNTER} {{ }}",
            f"counter {APPLICATION_COUNTER} {{ }}",
            *_sets(),
            *chains,
            *hooks,
            "}",
            "",
        ]
    )


def _hooks(name: str, jumps: list[str], leaving_first: list[str]) -> list[str]:
    return [
        _chain(
            f"{name}_{way}",
            [f'{interface} "lo" return', *first, *jumps],
            f"type filter hook {hook} priority {_PRIORITIES[name]};",
        )
        for way, interface, hook, first in (
            ("arriving", "iifname", "prerouting", []),
            ("leaving", "oifname", "output", leaving_first),
        )
    ]


def _sample(group: int, selection: Selection) -> list[str]:
    """Of TCP none: its answers must stay in their order."""
    log = f'log prefix "{Kind.DNS_ANSWER.value}" group {group} snaplen {DNS_BYTES} queue-threshold 1'
    return [f"udp sport {_set(selection.ports)} limit rate {_SAMPLE_PER_SECOND}/second {log} return"]


def _dns_rules(group: int, selection: Selection | None) -> list[str]:
    ports = _set(selection.ports) if selection else ""
    return [
        f"th dport {ports} {_log(Kind.DNS_QUERY, group, DNS_BYTES)} return",
        f"th sport {ports} {_log(Kind.DNS_ANSWER, group, DNS_BYTES)}",
    ]


def _application_rules(group: int) -> list[str]:
    preface = f"@ih,0,32 {_words(_FIRST_BYTES[Kind.HTTP2_PREFACE])}"
    remember = [f"{preface} add @{name} {{ {_ends(family)} }}" for family, (name, _) in _HTTP2_CLIENTS.items()]
    rules = [f"@ih,0,32 {_words(words)} {_log(kind, group, HEAD_BYTES)} return" for kind, words in _FIRST_BYTES.items()]
    hello = f"{_HANDSHAKE} {_log(Kind.TLS_HELLO, group, HEAD_BYTES)} return"
    # What comes here is a frame of HTTP/2.
    forget = [f"{_HEADERS_FRAME} delete @{name} {{ {_ends(family)} }}" for family, (name, _) in _HTTP2_CLIENTS.items()]
    return [*remember, *rules, hello, *forget, _log(Kind.HTTP2_PREFACE, group, HEAD_BYTES)]


def _sets() -> list[str]:
    return [
        f"set {name} {{ type {address} . inet_service . {address} . inet_service; size {_HTTP2_CLIENTS_LIMIT}; "
        f"flags dynamic, timeout; timeout {_HTTP2_CLIENTS_TIMEOUT}; }}"
        for name, address in _HTTP2_CLIENTS.values()
    ]


def _ends(family: str) -> str:
    return f"{family} saddr . tcp sport . {family} daddr . tcp dport"


def _words(words: tuple[bytes, ...]) -> str:
    return _set([int.from_bytes(word, "big") for word in words])


def _jumps(name: str, selection: Selection) -> list[str]:
    if name == "dns":
        ports = _set(selection.ports)
        return [f"meta l4proto {{ tcp, udp }} th {end} {ports} goto show_dns" for end in ("dport", "sport")]
    words = tuple(word for found in _FIRST_BYTES.values() for word in found)
    ends = [f"tcp {end} {_set(selection.ports)} " for end in ("dport", "sport")] if selection.ports else [""]
    first = [
        f"meta l4proto tcp {end}{match} goto show_application"
        for end in ends
        for match in (f"@ih,0,32 {_words(words)}", _HANDSHAKE)
    ]
    return first + [
        f"meta l4proto tcp {_FRAMES} {_ends(family)} @{name} goto show_application"
        for family, (name, _) in _HTTP2_CLIENTS.items()
    ]


def _log(kind: Kind, group: int, size: int) -> str:
    return f'log prefix "{kind.value}" group {group} snaplen {size}'


def _set(numbers: list[int] | tuple[int, ...]) -> str:
    return f"{{ {', '.join(map(str, numbers))} }}"


def _chain(name: str, rules: list[str], hook: str = "") -> str:
    return "\n".join([f"chain {name} {{", *([hook] if hook else []), *rules, "}"])
