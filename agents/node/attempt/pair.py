"""Brings a packet's two log lines together: what was dialled, and where destination NAT sent it.

The kernel logs both on one processor, one after the other; so a translated line belongs to the latest line before it
that shows the same packet.
"""

import numpy as np

from agents.node.attempt.columns import DIALLED, TRANSLATED, Attempts
from agents.node.attempt.key import packet_keys
from agents.node.report.rows import choose

REPLY_FIELDS = (
    "reply_source_high",
    "reply_source_low",
    "reply_destination_high",
    "reply_destination_low",
    "reply_source_port",
    "reply_destination_port",
)
"""What translation changes in an attempt's tuples."""


def pair(rows: Attempts, seed: int) -> tuple[Attempts, Attempts]:
    """Dialled rows, with the real destination where its line is among ``rows``, and the lines left over."""
    dialled = choose(rows, rows["kind"] == DIALLED)
    translated = choose(rows, rows["kind"] == TRANSLATED)
    if not len(translated) or not len(dialled):
        return dialled, translated
    both = choose(rows, rows["kind"] <= TRANSLATED)
    keys = packet_keys(both, seed)
    order = np.argsort(keys, kind="stable")
    is_dialled = both["kind"][order] == DIALLED
    latest = np.maximum.accumulate(np.where(is_dialled, np.arange(len(order)), -1))
    is_paired = ~is_dialled & (latest >= 0) & (keys[order[latest]] == keys[order])
    target, origin = order[latest[is_paired]], order[is_paired]
    for field in REPLY_FIELDS:
        both[field][target] = both[field][origin]
    is_left_over = both["kind"] == TRANSLATED
    is_left_over[origin] = False
    return choose(both, both["kind"] == DIALLED), choose(both, is_left_over)
