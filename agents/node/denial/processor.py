"""The fast lane's turn: what is denied for sure goes out at once, at most twice a second, beside the intervals.

It takes no dump and changes nothing of what the intervals say: each denial stands there, exactly, as well.
"""

from dataclasses import dataclass, field
from typing import Final

from agents.node.conntrack.refusal import Refusals
from agents.node.denial.aggregate import fold
from agents.node.interval.processor import Publication
from agents.node.interval.schedule import Span
from agents.node.metrics import NodeMetrics
from agents.node.report.columns import REPORT, Reports
from agents.node.report.flow import assemble_flows
from agents.node.report.known_socket import KnownSockets
from agents.node.report.name_book import NameBook
from agents.node.report.protocol_book import ProtocolBook
from agents.node.report.rows import join
from agents.node.watch.attempt.processor import AttemptWatch

_PACE_NS: Final = 500_000_000
_LONGEST_SPAN_NS: Final = 600 * 10**9
"""Streams take no batch of more than an hour, and a denial is told late when Kafka or the agent was away."""
_NOWHERE: Final = KnownSockets(0)
_NO_PROTOCOLS: Final = ProtocolBook()


@dataclass(slots=True)
class DenialLane:
    """Tells what the table of attempts calls denied, and which connections were refused."""

    attempts: AttemptWatch
    refusals: Refusals
    names: NameBook
    publication: Publication
    seed: int
    metrics: NodeMetrics
    _told_at_ns: int = field(default=0, init=False)
    _untold: int = field(default=0, init=False)

    def wait_ns(self, now_ns: int) -> int | None:
        """How long until something is to be told; None when nothing waits."""
        waiting = [at_ns for at_ns in (self.attempts.next_denial_ns(), self.refusals.next_ns()) if at_ns is not None]
        return max(0, min(waiting) - now_ns, self._pause_ns(now_ns)) if waiting else None

    def tell(self, now_ns: int, *, is_last: bool = False) -> None:
        """Hand over what is due; the last time without a pause. Mostly there is nothing, at next to no cost."""
        if not is_last and self.wait_ns(now_ns) != 0:
            return
        told = join([self.attempts.take_denials(now_ns), self.refusals.take(now_ns)], REPORT)
        denials = fold(told, self.seed)
        untold = self.attempts.untold_denials + self.refusals.overflowed
        missed, self._untold = denials.cut + untold - self._untold, untold
        self.publication.closer.losses.add("denials_overflow", missed)
        if len(denials.rows):
            self._told_at_ns = now_ns
            self.metrics.denials.inc(int(denials.rows["attempts"].sum()))
            self._publish(denials.rows, now_ns)

    def _publish(self, rows: Reports, now_ns: int) -> None:
        columns = assemble_flows(rows, _NOWHERE, {}, self.names, _NO_PROTOCOLS)
        first_ns = min(int(rows["started_at_ns"].min()), now_ns - 1)
        span = Span(max(first_ns, now_ns - _LONGEST_SPAN_NS), now_ns, missed=0, is_clock_stepped=False)
        self.publication.closer.close(span, columns, self.publication.writer.partitions)

    def _pause_ns(self, now_ns: int) -> int:
        """Until the next time; a clock that was set back does not prolong it."""
        since_ns = now_ns - self._told_at_ns
        return _PACE_NS - since_ns if 0 <= since_ns < _PACE_NS else 0
