"""Workloads as policies can select them: what no label tells apart is one group."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from conntrail.policy.cluster.snapshot import Snapshot
from conntrail.policy.history.replay import revived
from conntrail.policy.history.seen import History, SeenEnd
from conntrail.policy.recommend.selection import Selection, select
from conntrail.policy.words.label import given_labels
from streams.metadata.endpoint import Endpoint

WorkloadKey = tuple[str, str, str]
"""Namespace, kind, name."""
_NAMED_LAST: Final = ("CronJob", "Job", "Pod")
"""Where several share a policy, one that lasts gives it its name."""
_RETURNING: Final = "CronJob"
"""Its pods come back although none is there now."""


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Workloads of one namespace that share a selection; there is one object of each."""

    namespace: str
    selection: Selection
    workloads: tuple[WorkloadKey, ...]
    pods: tuple[Endpoint, ...]
    """On the cluster's network: as they are now, of a workload without pods as flows showed them."""
    present: int
    """How many of them are there now."""
    selected_too: tuple[str, ...] = ()
    """Other workloads, as namespace/name, whose pods it selects as well."""

    @property
    def is_lasting(self) -> bool:
        """Whether it has pods now, or will have some again."""
        return self.present > 0 or any(kind == _RETURNING for _, kind, _ in self.workloads)


@dataclass(frozen=True)
class Groups:
    """Build it by ``groups_of``."""

    by_workload: Mapping[WorkloadKey, Group]
    """Only workloads with pods on the cluster's network."""
    hosts: Mapping[WorkloadKey, tuple[Endpoint, ...]] = field(default_factory=dict)
    """Pods on their nodes' network, which no policy selects."""

    def of(self, end: SeenEnd) -> Group | None:
        """The group of an end of a record."""
        return self.by_workload.get(key_of(end)) if end.kind == "workload" else None

    @property
    def all(self) -> tuple[Group, ...]:
        """Each once, by namespace and first workload."""
        distinct = {(group.namespace, group.selection): group for group in self.by_workload.values()}
        return tuple(sorted(distinct.values(), key=lambda group: (group.namespace, group.workloads)))


def key_of(end: SeenEnd) -> WorkloadKey:
    """The workload of an end."""
    return (end.namespace, end.workload_kind, end.name)


def groups_of(snapshot: Snapshot, history: History) -> Groups:
    """Workloads of the cluster as it is, and those that only flows still tell of."""
    present = {key: [pod.endpoint for pod in pods] for key, pods in snapshot.workloads.items()}
    gone: dict[WorkloadKey, list[Endpoint]] = {}
    for pod in history.pods.values():
        if pod.end.kind == "workload" and key_of(pod.end) not in present:
            gone.setdefault(key_of(pod.end), []).append(revived(pod, snapshot))
    members = {
        key: kept
        for key, pods in sorted({**present, **gone}.items())
        if (kept := [pod for pod in pods if not pod.host_network])
    }
    hosts = {key: found for key, pods in present.items() if (found := tuple(pod for pod in pods if pod.host_network))}
    return Groups(dict(_grouped(members, frozenset(present))), hosts)


def _grouped(
    members: Mapping[WorkloadKey, list[Endpoint]], present: frozenset[WorkloadKey]
) -> Iterable[tuple[WorkloadKey, Group]]:
    labels = {key: _distinct(pods) for key, pods in members.items()}
    together: dict[tuple[str, Selection], list[WorkloadKey]] = {}
    for key in members:
        others = [found for other in members if other != key and other[0] == key[0] for found in labels[other]]
        together.setdefault((key[0], select(labels[key], others)), []).append(key)
    for (namespace, selection), keys in together.items():
        group = Group(
            namespace,
            selection,
            tuple(sorted(keys, key=lambda key: (key[1] in _NAMED_LAST, key[2], key[1]))),
            tuple(pod for key in keys for pod in members[key]),
            sum(len(members[key]) for key in keys if key in present),
            tuple(
                f"{key[0]}/{key[2]}"
                for key, found in labels.items()
                if key[0] == namespace and key not in keys and any(map(selection.selects, found))
            ),
        )
        yield from ((key, group) for key in keys)


def _distinct(pods: Iterable[Endpoint]) -> list[Mapping[str, str]]:
    """Labels of pods, those that only controllers tell apart once."""
    found = {tuple(given_labels(pod.labels).items()): pod.labels for pod in pods}
    return list(found.values())
