"""Figures of the index stage, as Prometheus names them."""

from prometheus_client import CollectorRegistry, Counter, Gauge


class IndexCounters:
    """Everything that moves in the index stage."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, text: str) -> Counter:
            return Counter(f"conntrail_index_{name}", text, registry=registry)

        self.indexed = counter("documents", "Documents that Elasticsearch took, revisions included.")
        self.duplicates = counter("duplicates", "Documents that it had already, in the same or a higher revision.")
        self.stale = counter(
            "stale_documents", "Documents removed since a higher revision of their span has none such."
        )
        self.refused = counter("refused_documents", "Messages or documents that cannot be indexed; see the deadletter.")
        self.refused_share = Gauge(
            "conntrail_index_refused_share", "Share of the last 200 messages that was refused.", registry=registry
        )
        self.skipped = counter("skipped_offsets", "Offsets that Faust did not give; they were read again from the log.")
        self.left_out = counter("left_out_flows", "Flows that CONNTRAIL_INDEX__FLOWS=notable left out.")
        self.forgotten = counter("forgotten_edges", "Workload pairs beyond CONNTRAIL_INDEX__EDGES, which count as new.")
        self.retries = Counter(
            "conntrail_index_retries", "Requests and documents sent again, by why.", ["reason"], registry=registry
        )
