"""Sums the exchanges of an interval that are alike: same ends, protocol, template and outcome."""

from array import array
from typing import Final

from agents.node.application.exchange import Ends, Exchange

SAMPLE: Final = 64
"""Latencies that are told one by one."""
_US: Final = 1_000


class Row:
    """Figures of alike exchanges. Beside the ends, texts that differ among them are those of the latest or slowest."""

    __slots__ = (
        "_stride", "_until_next", "count", "ends", "exchange", "first_seen_at_ns", "last_seen_at_ns", "latencies_us",
        "latency_max_us", "latency_sum_us", "request_id", "timed", "trace_parent", "user_agent", "version",
    )  # fmt: skip

    def __init__(self, first: Exchange) -> None:
        self.exchange = first
        """Whose texts are those of all."""
        self.ends: Ends = first.ends
        """Of the latest."""
        self.count = self.timed = self.latency_sum_us = 0
        self.latency_max_us = -1
        self.latencies_us = array("q")
        self.first_seen_at_ns = first.seen_at_ns
        self.last_seen_at_ns = first.ended_at_ns
        self.user_agent = self.version = self.request_id = self.trace_parent = ""
        self._stride = self._until_next = 1

    def add(self, exchange: Exchange) -> None:
        """Count one more."""
        self.count += 1
        self.ends = exchange.ends
        self.user_agent = exchange.head.user_agent or self.user_agent
        self.version = exchange.version or self.version
        self.first_seen_at_ns = min(self.first_seen_at_ns, exchange.seen_at_ns)
        self.last_seen_at_ns = max(self.last_seen_at_ns, exchange.ended_at_ns)
        latency_us = exchange.latency_ns // _US if exchange.latency_ns >= 0 else -1
        if latency_us > self.latency_max_us:
            self.request_id, self.trace_parent = exchange.head.request_id, exchange.head.trace_parent
        elif not self.timed:
            self.request_id = self.request_id or exchange.head.request_id
            self.trace_parent = self.trace_parent or exchange.head.trace_parent
        if latency_us >= 0:
            self._time(latency_us)

    def _time(self, latency_us: int) -> None:
        self.timed += 1
        self.latency_sum_us += latency_us
        self.latency_max_us = max(self.latency_max_us, latency_us)
        self._until_next -= 1
        if self._until_next:
            return
        self._until_next = self._stride
        if len(self.latencies_us) == SAMPLE:  # then every second is enough, of those to come too
            self.latencies_us = self.latencies_us[1::2]
            self._stride *= 2
        else:
            self.latencies_us.append(latency_us)
