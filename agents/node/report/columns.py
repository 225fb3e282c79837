"""The columns in which the parts of the agent hand each other connections, attempts and sockets.

Addresses are two native 64-bit words, high and low, of the 16-byte address; an IPv4 address is mapped
(::ffff:a.b.c.d, RFC 4291 section 2.5.5.2), so that one comparison serves both families.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

END_REASONS: Final = ("active", "closed", "reset", "timeout", "denied", "evicted")
EVIDENCES: Final = ("confirmed", "attempt", "reject", "socket")
TCP_STATES: Final = (
    "none", "syn_sent", "syn_recv", "established", "fin_wait", "close_wait", "last_ack", "time_wait", "close",
    "syn_sent2",
)  # enum tcp_conntrack, linux/netfilter/nf_conntrack_tcp.h  # fmt: skip

TUPLES: Final = [
    ("family", "u1"),  # AF_INET 2, AF_INET6 10
    ("protocol", "u1"),  # IANA number
    ("zone", "u2"),
    ("original_source_high", "u8"),
    ("original_source_low", "u8"),
    ("original_destination_high", "u8"),
    ("original_destination_low", "u8"),
    ("reply_source_high", "u8"),
    ("reply_source_low", "u8"),
    ("reply_destination_high", "u8"),
    ("reply_destination_low", "u8"),
    ("original_source_port", "u2"),
    ("original_destination_port", "u2"),
    ("reply_source_port", "u2"),
    ("reply_destination_port", "u2"),
    ("icmp_type", "u1"),
    ("icmp_code", "u1"),
    ("icmp_id", "u2"),
]
"""Both conntrack tuples of a connection; ports are 0 where the protocol has none."""

REPORT: Final = np.dtype(
    [
        *TUPLES,
        ("connection_id", "i8"),  # stable over the connection's life and over agent restarts
        ("status", "u4"),  # IPS_* bits, linux/netfilter/nf_conntrack_common.h
        ("tcp_state", "u1"),  # index into TCP_STATES
        ("original_packets", "u8"),  # deltas since the last report
        ("original_bytes", "u8"),  # IP bytes
        ("reply_packets", "u8"),
        ("reply_bytes", "u8"),
        ("started_at_ns", "i8"),
        ("seen_at_ns", "i8"),
        ("ended_at_ns", "i8"),  # 0 while it lives
        ("is_first", "?"),
        ("is_final", "?"),
        ("end_reason", "u1"),  # index into END_REASONS
        ("evidence", "u1"),  # index into EVIDENCES
        ("attempts", "u4"),  # first packets never confirmed
        ("begun", "u4"),  # of refused connections: those that began meanwhile, these included; 0 when not counted
    ]
)
"""One connection or denied attempt in one interval, as this node saw it."""

SOCKET: Final = np.dtype(
    [
        ("family", "u1"),
        ("protocol", "u1"),
        ("state", "u1"),  # TCP_* of linux/net/tcp_states.h
        ("local_high", "u8"),
        ("local_low", "u8"),
        ("remote_high", "u8"),
        ("remote_low", "u8"),
        ("local_port", "u2"),
        ("remote_port", "u2"),
        ("inode", "u8"),  # 0 when the socket is closed already
        ("cgroup_id", "u8"),  # 0 when not known
        ("process_id", "u4"),  # 0 when not known
        ("has_figures", "?"),  # tcp_info was there
        ("rtt_us", "u4"),
        ("rtt_var_us", "u4"),
        ("total_retransmits", "u4"),  # since the socket's start
        ("lost", "u4"),
        ("delivery_rate", "u8"),  # bytes a second
    ]
)
"""One socket as its namespace knows it: the remote end is what the program dialled, before NAT."""

Reports = npt.NDArray[np.void]
Sockets = npt.NDArray[np.void]
