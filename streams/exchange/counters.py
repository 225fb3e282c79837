"""Figures of the exchanges stage, as Prometheus names them."""

from prometheus_client import CollectorRegistry, Counter, Gauge

from streams.exchange.cut import APPLICATION_LOSSES, DNS_LOSSES
from streams.exchange.evaluate import Evaluation
from streams.source.part import Part

_CAUSES = {**DNS_LOSSES, **APPLICATION_LOSSES}


class ExchangeCounters:
    """Everything that moves in the exchanges stage."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, text: str, label: str) -> Counter:
            return Counter(f"conntrail_worker_{name}", text, [label], registry=registry)

        self.parts = counter("exchange_parts", "Messages of dns.raw and l7.raw that were held.", "kind")
        self.duplicates = counter("duplicate_exchange_parts", "Messages that were held already.", "kind")
        self.late = counter(
            "late_exchange_parts",
            "Messages of a time that was emitted without them: echoes may be counted.",
            "kind",
        )
        self.records = counter("exchange_records", "Records emitted.", "kind")
        self.exchanges = counter("exchanges", "Exchanges that count.", "kind")
        self.echoes = counter("exchange_echoes", "Exchanges reported again by another node, and dropped.", "kind")
        self.unwatched = counter(
            "unwatched_exchanges", "Exchanges of namespaces that are not watched, and dropped.", "kind"
        )
        self.lost = counter("exchange_losses", "What agents say they did not show, by cause.", "cause")
        self.refused = Counter(
            "conntrail_worker_refused_exchange_messages",
            "Messages that were no batch of exchanges; see the topic deadletter.",
            registry=registry,
        )
        self.skipped = Counter(
            "conntrail_worker_skipped_exchange_offsets",
            "Offsets that Faust did not give; they were read again from the log.",
            registry=registry,
        )
        self.refused_share = Gauge(
            "conntrail_worker_refused_exchange_share",
            "Share of the last 200 messages of exchanges that was refused.",
            registry=registry,
        )

    def note(self, kind: str, part: Part, *, is_new: bool, is_late: bool) -> None:
        """Count a part."""
        if not is_new:
            self.duplicates.labels(kind).inc()
            return
        self.parts.labels(kind).inc()
        if is_late:
            self.late.labels(kind).inc()
        if not part.batch.partition and not part.batch.part:  # losses are told in each message of an interval
            for cause in _CAUSES.keys() & part.batch.lost.keys():
                self.lost.labels(cause).inc(part.batch.lost[cause])

    def note_evaluation(self, kind: str, evaluation: Evaluation) -> None:
        """Count an emission."""
        self.records.labels(kind).inc(evaluation.rows.height)
        self.exchanges.labels(kind).inc(int(evaluation.rows["count"].sum()))
        self.echoes.labels(kind).inc(evaluation.echoes)
        self.unwatched.labels(kind).inc(evaluation.unwatched)
