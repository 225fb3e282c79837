"""What a child process is: its words, its environment, where it logs. Pure: conntrail/system/writer.py runs it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Child:
    """One process of ours."""

    name: str
    module: str
    arguments: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    """Settings without their prefix, for example ``AGENT__NODE``."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The processes that observe one cluster."""

    directory: Path
    """Logs and state go here."""
    cluster_directory: Path
    """Kubernetes objects as YAML."""
    nodes: Mapping[str, str]
    """Node name to the path of its network namespace."""
    settings: Mapping[str, str]
    """Of every process."""
    workers: int = 1

    def children(self) -> list[Child]:
        """In the order in which they are started: what others need comes first."""
        cluster = Child(
            "cluster-agent", "agents.cluster", (), {"CLUSTER_AGENT__MANIFESTS": str(self.cluster_directory)}
        )
        workers = [self.worker(f"worker-{number}") for number in range(1, self.workers + 1)]
        return [cluster, *workers, *(self.agent(node) for node in self.nodes)]

    def worker(self, identity: str) -> Child:
        """A worker of all stages."""
        return Child(identity, "streams", (), {"WORKER__ID": identity})

    def agent(self, node: str) -> Child:
        """The agent of one node."""
        state = self.directory / "state" / node
        return Child(
            f"agent-{node}",
            "agents.node",
            (),
            {"AGENT__NODE": node, "AGENT__NETNS": self.nodes[node], "AGENT__STATE_DIRECTORY": str(state)},
        )
