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
    audit_log: Path | None = None
    """The cluster's, for the cluster agent to follow."""
    own_settings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Of the processes of a module, for example of ``agents.node``."""

    def children(self) -> list[Child]:
        """In the order in which they are started: what others need comes first."""
        workers = [self.worker(f"worker-{number}") for number in range(1, self.workers + 1)]
        return [self.cluster_agent(), *workers, *(self.agent(node) for node in self.nodes)]

    def cluster_agent(self) -> Child:
        """The agent of the cluster."""
        settings = {"CLUSTER_AGENT__MANIFESTS": str(self.cluster_directory)}
        if self.audit_log is not None:
            state = self.directory / "cluster-agent.audit"
            settings |= {"AUDIT__FILE": str(self.audit_log), "AUDIT__STATE_FILE": str(state)}
        return self._child("cluster-agent", "agents.cluster", settings)

    def worker(self, identity: str) -> Child:
        """A worker of all stages."""
        return self._child(identity, "streams", {"WORKER__ID": identity})

    def agent(self, node: str) -> Child:
        """The agent of one node."""
        state = self.directory / "state" / node
        return self._child(
            f"agent-{node}",
            "agents.node",
            {"AGENT__NODE": node, "AGENT__NETNS": self.nodes[node], "AGENT__STATE_DIRECTORY": str(state)},
        )

    def _child(self, name: str, module: str, settings: Mapping[str, str]) -> Child:
        return Child(name, module, (), {**self.own_settings.get(module, {}), **settings})
