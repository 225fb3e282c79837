"""How a connection ended, read from its last entry."""

from typing import Final

import numpy as np
import numpy.typing as npt

from agents.node.conntrack.entry import Entries
from agents.node.report.columns import END_REASONS, TCP_STATES

_TCP: Final = 6
_SEEN_REPLY: Final = 1 << 1  # IPS_SEEN_REPLY
_CLOSED, _RESET, _TIMEOUT, _EVICTED = (END_REASONS.index(name) for name in ("closed", "reset", "timeout", "evicted"))
_TIME_WAIT, _CLOSE, _LAST_ACK = (TCP_STATES.index(name) for name in ("time_wait", "close", "last_ack"))
_OPEN: Final = [TCP_STATES.index(name) for name in ("established", "fin_wait", "close_wait")]


def is_over(entries: Entries) -> npt.NDArray[np.bool_]:
    """TCP connections that are closed although their entries linger (TIME_WAIT for two minutes)."""
    over: npt.NDArray[np.bool_] = (entries["protocol"] == _TCP) & np.isin(entries["tcp_state"], (_TIME_WAIT, _CLOSE))
    return over


def end_reasons(entries: Entries) -> npt.NDArray[np.uint8]:
    """Index into END_REASONS of entries that are over or destroyed.

    A TCP connection whose only answer is a reset is destroyed at once: the reset is counted, but does not set
    SEEN_REPLY (nf_conntrack_proto_tcp.c). An open one that is destroyed was removed by somebody, since the kernel
    keeps it for days. Everything but TCP ends by its timeout alone.
    """
    state, is_tcp = entries["tcp_state"], entries["protocol"] == _TCP
    was_refused = ((entries["status"] & _SEEN_REPLY) == 0) & (entries["reply_packets"] > 0)
    return np.select(
        [
            ~is_tcp,
            (state == _CLOSE) | was_refused,
            (state == _TIME_WAIT) | (state == _LAST_ACK),
            np.isin(state, _OPEN),
        ],
        [_TIMEOUT, _RESET, _CLOSED, _EVICTED],
        default=_TIMEOUT,
    ).astype(np.uint8)
