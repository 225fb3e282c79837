"""Figures of the flows stage, as Prometheus names them."""

from prometheus_client import CollectorRegistry, Counter, Gauge

from schemas.batch import LOSS_CAUSES
from streams.source.part import Part
from streams.window.evaluate import Evaluation
from streams.window.ledger import Added


class FlowCounters:
    """Everything that moves in the flows stage."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, text: str) -> Counter:
            return Counter(f"conntrail_worker_{name}", text, registry=registry)

        self.parts = counter("parts", "Messages of flows.raw that were held.")
        self.rows = counter("raw_flows", "Rows in them.")
        self.duplicates = counter(
            "duplicate_parts", "Messages that were there already: an agent or Kafka repeated them."
        )
        self.late = counter("late_parts", "Messages for a step that was emitted already; it is emitted again.")
        self.refused = counter("refused_messages", "Messages that were no batch of flows; see the topic deadletter.")
        self.refused_share = Gauge(
            "conntrail_worker_refused_share", "Share of the last 200 messages that was refused.", registry=registry
        )
        self.skipped = counter("skipped_offsets", "Offsets that Faust did not give; they were read again from the log.")
        self.restored = counter("restored_windows", "Windows whose earlier parts were read again from the log.")
        self.flows = counter("flows", "Flow records emitted, revisions included.")
        self.windows = counter("windows", "Windows emitted per partition, revisions included.")
        self.amended = counter("amended_steps", "Steps emitted again since metadata came later than flows.")
        self.echoes = counter("echoes", "Far-end rows that belong to the near end's neighbouring step.")
        self.lost = Counter(
            "conntrail_worker_reported_losses", "What agents say they lost, by cause.", ["cause"], registry=registry
        )
        self.seen_until = Gauge(
            "conntrail_worker_seen_until_seconds", "End of the latest interval seen, Unix time.", registry=registry
        )

    def note(self, part: Part, added: Added) -> None:
        """Count a part."""
        if added.is_duplicate:
            self.duplicates.inc()
            return
        self.parts.inc()
        self.rows.inc(part.rows.height)
        if added.is_late:
            self.late.inc()
        for cause, count in part.batch.lost.items():
            # A label for whatever a message says would let one node fill the memory of every worker.
            self.lost.labels(cause if cause in LOSS_CAUSES else "other").inc(count)
        self.seen_until.set(part.batch.interval_end_ns / 1e9)

    def note_step(self, evaluation: Evaluation) -> None:
        """Count an emission."""
        self.flows.inc(evaluation.judged.height)
        self.echoes.inc(evaluation.echoes)
