"""The whole system on the lab: what it found, next to what really happened."""

import json
import os
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from elasticsearch import Elasticsearch

from conntrail.demo.reader import Drain
from conntrail.lab.main import Lab
from conntrail.setup.main import set_up
from conntrail.system.child import Plan
from conntrail.system.writer import System
from runtime.settings import ElasticsearchSettings, KafkaSettings, Settings
from tests.support.stack import RunningStack

Document = dict[str, Any]
PARTITIONS = 3
WINDOW_SECONDS = 6
SPANS = {
    "WINDOW__SIZE": f"{WINDOW_SECONDS}s",
    "WINDOW__STEP": "2s",
    "WINDOW__GRACE": "2s",
    "AGENT__INTERVAL": "1s",
    "ALERTS__EFFECT": "15s",
}
_PATIENCE_SECONDS = 180.0
_LATE_SECONDS = 90.0


@dataclass
class Observed:
    """A lab, the processes that observe it, and the results."""

    lab: Lab
    system: System
    plan: Plan
    settings: Settings
    witness: dict[str, str] = field(default_factory=dict)
    """What the conntrack program listed, by node."""
    final_until: datetime = field(init=False)
    """Windows up to here are final; of what comes later, flows may be there and their windows not yet."""

    def run_traffic(self, seconds: float, during: Callable[[], None] | None = None) -> None:
        """Let the lab talk, note what the kernel counted, and wait until all of it is indexed."""
        self.lab.traffic(seconds)
        if during is not None:
            during()
        self.note_witness()
        self.await_results()

    def note_witness(self) -> None:
        self.witness = {node: self.lab.conntrack(node) for node in self.lab.nodes}

    def await_results(self) -> None:
        """Until everything that agents sent before now is final and indexed."""
        now_ms = int(time.time() * 1000)
        until_ms = now_ms + 5000  # an attempt is told after its patience and its interval
        drain = Drain(self.settings.kafka)
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not drain.is_done(until_ms):
            self.system.check()
            assert time.monotonic() < deadline, "results were not complete in time"
            time.sleep(0.5)
        self.final_until = datetime.fromtimestamp(now_ms // (WINDOW_SECONDS * 1000) * WINDOW_SECONDS, UTC)

    def final(self, documents: list[Document]) -> list[Document]:
        """Those that belong to final windows."""
        return [d for d in documents if datetime.fromisoformat(d["@timestamp"]) <= self.final_until]

    def documents(self, dataset: str) -> list[Document]:
        """All documents of ``logs-conntrail.flow`` or another dataset of this run."""
        client = Elasticsearch(self.settings.elasticsearch.hosts, request_timeout=_LATE_SECONDS)
        index = f"{dataset}-{self.settings.elasticsearch.namespace}-*"
        client.indices.refresh(index=index)
        found: list[Document] = []
        after = None
        while True:
            answer = client.search(index=index, size=2000, sort=["@timestamp", "_doc"], search_after=after)
            hits = answer["hits"]["hits"]
            found += [hit["_source"] for hit in hits]
            if not hits:
                client.close()
                return found
            after = hits[-1]["sort"]

    def flows(self) -> list[Document]:
        return self.documents("logs-conntrail.flow")

    def windows(self) -> list[Document]:
        return self.documents("metrics-conntrail.window")

    def truth(self) -> list[Document]:
        return self.lab.truth()

    def exchanges(self, dataset: str, is_wanted: Callable[[Document], bool], count: int) -> list[Document]:
        """Such documents, as soon as they tell of so many exchanges: a silent server is told after its patience."""
        deadline = time.monotonic() + _LATE_SECONDS
        while True:
            found = [document for document in self.documents(dataset) if is_wanted(document)]
            if sum(document["conntrail"]["count"] for document in found) >= count or time.monotonic() > deadline:
                return found
            time.sleep(0.5)

    def environment(self) -> dict[str, str]:
        """Of commands that are to ask here."""
        return {**os.environ, **{f"CONNTRAIL_{name}": text for name, text in self.plan.settings.items()}}


@contextmanager
def observed(
    stack: RunningStack, directory: Path, manifests: Path | None = None, more: Mapping[str, str] | None = None
) -> Iterator[Observed]:
    """Everything started on a stack that runs; taken down at the end whatever happens. ``more``: settings."""
    name = uuid.uuid4().hex[:10]
    settings = Settings(
        kafka=KafkaSettings(bootstrap_servers=stack.kafka, topic_prefix=f"s{name}.", partitions=PARTITIONS),
        elasticsearch=ElasticsearchSettings(hosts=stack.elasticsearch, namespace=f"s{name}"),
    )
    set_up(settings, is_dry=False)
    with ExitStack() as exits:
        lab = Lab(directory / "lab", is_tied=True)
        exits.callback(lab.down)
        lab.up(manifests)
        plan = Plan(
            directory=directory,
            cluster_directory=lab.cluster_directory,
            nodes=lab.nodes,
            audit_log=lab.audit_path,
            settings={
                **SPANS,
                "KAFKA__BOOTSTRAP_SERVERS": stack.kafka,
                "KAFKA__TOPIC_PREFIX": settings.kafka.topic_prefix,
                "ELASTICSEARCH__HOSTS": stack.elasticsearch,
                "ELASTICSEARCH__NAMESPACE": settings.elasticsearch.namespace,
                **(more or {}),
            },
        )
        system = System(plan)
        exits.callback(system.stop)
        system.start(lambda _: None)
        yield Observed(lab, system, plan, settings)


def is_root() -> bool:
    return os.geteuid() == 0


def dump(documents: list[Document]) -> str:
    """For the message of an assertion."""
    return json.dumps(documents[:3], indent=1, default=str)
