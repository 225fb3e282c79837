"""How a connection ended, read from its last entry."""

from typing import Final

import numpy as np
import numpy.typing as npt

from agents.node.conntrack.entry import Entries
from agents.node.report.columns import END_REASONS, TCP_STATES

_TCP: Final = 6
_SEEN_REPLY: Final = 1 << 1  # IPS_SEEN_REPLY
_CLOSED, _RESET, _TIMEOUT, _EVICTED = (END_REASONS.index(name) for name in ("closed", "reset", "timeout", "evicted"))
_TIME_WAIT, _CLOSE, _LAST_ACK, _SYN_SENT = (
    TCP_STATES.index(name) for name in ("time_wait", "close", "last_ack", "syn_sent")
)


def is_over(entries: npt.NDArray[np.void]) -> npt.NDArray[np.bool_]:
    """TCP connections that are closed although their entries linger (TIME_WAIT for two minutes)."""
    state = entries["tcp_state"]
    over: npt.NDArray[np.bool_] = (entries["protocol"] == _TCP) & ((state == _TIME_WAIT) | (state == _CLOSE))
    return over


def lingering_end_reasons(entries: npt.NDArray[np.void]) -> npt.NDArray[np.uint8]:
    """Index into END_REASONS of connections that are over although their entries are there: CLOSE follows a reset."""
    return np.where(entries["tcp_state"] == _CLOSE, _RESET, _CLOSED).astype(np.uint8)


def were_refused(ended: Entries) -> npt.NDArray[np.bool_]:
    """Destroyed TCP entries whose only answer was a reset: counted, but no reply to the kernel.

    Nothing else leaves an answered entry without SEEN_REPLY, so this holds on kernels too that do not tell the state.
    """
    is_answered = ended["reply_packets"] > 0
    refused: npt.NDArray[np.bool_] = (ended["protocol"] == _TCP) & is_answered & ((ended["status"] & _SEEN_REPLY) == 0)
    return refused


def end_reasons(ended: Entries, states: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Index into END_REASONS of destroyed entries; ``states`` are their last TCP states.

    The event tells the time that was left, and leaves it out when none was (ctnetlink_dump_timeout): so an entry with
    time left was removed. A TCP connection whose only answer is a reset is removed at once, without SEEN_REPLY; some
    kernels show it as CLOSE, others as SYN_SENT (nf_conntrack_proto_tcp.c).
    """
    is_tcp = ended["protocol"] == _TCP
    has_time_left = ended["timeout"] > 0
    was_answered = (ended["reply_packets"] > 0) | (~ended["has_counters"] & has_time_left)
    was_refused = (states == _SYN_SENT) & ((ended["status"] & _SEEN_REPLY) == 0) & was_answered
    return np.select(
        [
            is_tcp & ((states == _CLOSE) | was_refused),
            is_tcp & ((states == _TIME_WAIT) | (states == _LAST_ACK)),
            has_time_left,
        ],
        [_RESET, _CLOSED, _EVICTED],
        default=_TIMEOUT,
    ).astype(np.uint8)
