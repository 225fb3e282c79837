"""Conntrack entries as the kernel tells them, in columns: counters are totals since the connection's start."""

from typing import Final

import numpy as np
import numpy.typing as npt

from agents.node.report.columns import TUPLES

COUNTERS: Final = ("original_packets", "original_bytes", "reply_packets", "reply_bytes")
ENTRY: Final = np.dtype(
    [
        *TUPLES,
        ("id", "u4"),  # CTA_ID: a hash that tells entries apart while they live
        ("status", "u4"),  # IPS_* bits, linux/netfilter/nf_conntrack_common.h
        ("timeout", "u4"),  # seconds left
        ("mark", "u4"),
        ("tcp_state", "u1"),  # enum tcp_conntrack
        ("has_counters", "?"),  # nf_conntrack_acct was on when the connection began
        ("original_packets", "u8"),
        ("original_bytes", "u8"),  # IP bytes
        ("reply_packets", "u8"),
        ("reply_bytes", "u8"),
        ("started_at_ns", "i8"),  # 0 unless nf_conntrack_timestamp was on
        ("stopped_at_ns", "i8"),  # 0 while it lives
    ]
)
"""One entry of a dump, or one NEW or DESTROY event."""

Entries = npt.NDArray[np.void]
