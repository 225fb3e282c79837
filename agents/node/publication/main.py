"""Builds what publishes the topics of a node of which nothing is kept on disk: a sequence begins anew in each life."""

from dataclasses import dataclass

from prometheus_client import CollectorRegistry

from agents.errors import WriteError
from agents.node.conntrack.refusal import Refusals
from agents.node.denial.processor import DenialLane
from agents.node.interval.loss import Losses
from agents.node.interval.processor import Identity, IntervalCloser, Publication
from agents.node.metrics import NodeMetrics
from agents.node.state.reader import new_boot
from agents.node.watch.payload.processor import PayloadLosses
from agents.node.watch.processor import NodeWatch
from agents.publish.interval import Interval, IntervalEncoder
from agents.publish.metrics import PublishMetrics
from agents.publish.spool import Spool, Storage
from agents.publish.writer import Destination, IntervalWriter
from runtime.kafka import client_configuration
from runtime.settings import Settings
from schemas.schema import read_schema
from schemas.topic import DENIALS_RAW, DNS_RAW, L7_RAW, Topic


@dataclass(frozen=True, slots=True)
class Publisher:
    """What publications of one node have in common."""

    settings: Settings
    node: str
    registry: CollectorRegistry
    metrics: NodeMetrics

    def destination(self, topic: Topic) -> Destination:
        """Where its intervals go."""
        kafka = self.settings.kafka
        return Destination(
            client_configuration(kafka, f"conntrail-agent-{self.node}"),
            topic.full_name(kafka.topic_prefix),
            self.node.encode(),
        )

    def build_payloads(self, losses: PayloadLosses) -> dict[str, Publication]:
        """Of DNS and applications, as far as they are read, by topic without its prefix."""
        agent = self.settings.agent
        wanted = [
            (DNS_RAW, "client_key", losses.dns, agent.dns),
            (L7_RAW, "flow_key", losses.application, agent.applications),
        ]
        return {
            topic.name: self._build(topic, IntervalEncoder(read_schema(topic.schema), key_field), own)
            for topic, key_field, own, is_read in wanted
            if is_read
        }

    def build_denials(self, watch: NodeWatch, seed: int) -> DenialLane | None:
        """The fast lane of what ``watch`` sees; None when nobody wants it. ``seed``: of the node."""
        if not self.settings.agent.denials:
            return None
        encoder = IntervalEncoder(read_schema(DENIALS_RAW.schema), "flow_key", is_sparse=True)
        publication = self._build(DENIALS_RAW, encoder, Losses())
        refusals = watch.connections.refusals = Refusals(seed)
        return DenialLane(watch.attempts, refusals, watch.books.names, publication, seed, self.metrics)

    def _build(self, topic: Topic, encoder: IntervalEncoder, losses: Losses) -> Publication:
        spool = Spool(self.settings.agent.spool_memory, 0)
        metrics = PublishMetrics(self.registry, topic.name.removesuffix(".raw"))
        closer = IntervalCloser(
            topic.name,
            Identity(self.settings.cluster, self.node, new_boot(), 0, new_boot()),
            None,
            encoder,
            spool,
            losses,
            self.metrics,
            metrics,
            partitions=self.settings.kafka.partitions,
        )
        storage = Storage(_load_nothing, closer.forget)
        return Publication(closer, IntervalWriter(self.destination(topic), spool, storage, encoder, metrics), spool)


def _load_nothing(_sequence: int) -> Interval:
    raise WriteError("an interval is not in memory any more")
