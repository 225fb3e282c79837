"""Remembers, for a bounded time, which dialled tuples conntrack has confirmed.

A confirmation may be read before the log line of its first packet, since the kernel holds log lines back to send
several at once. Without this memory the late line would look like an attempt that nothing confirmed.
"""

import numpy as np
import numpy.typing as npt

from agents.node.attempt.key import Keys, find


class Confirmations:
    """Keys of the last one to two periods, in sorted pieces as they came."""

    def __init__(self, period_ns: int) -> None:
        self._period_ns = period_ns
        self._rotated_at_ns = 0
        self._recent: list[Keys] = []
        self._older: list[Keys] = []

    def add(self, keys: Keys) -> None:
        """Remember sorted keys."""
        if len(keys):
            self._recent.append(keys)

    def contain(self, keys: Keys) -> npt.NDArray[np.bool_]:
        """Which of the keys are remembered."""
        is_known = np.zeros(len(keys), np.bool_)
        for piece in (*self._recent, *self._older):
            is_known |= find(piece, keys) >= 0
        return is_known

    def age(self, now_ns: int) -> None:
        """Forget what is older than a period; call it after looking up what was read at ``now_ns``."""
        if now_ns - self._rotated_at_ns < self._period_ns:
            if len(self._recent) > 1 << 5:
                self._recent = [np.sort(np.concatenate(self._recent))]
            return
        self._older, self._recent = self._recent, []
        self._rotated_at_ns = now_ns
