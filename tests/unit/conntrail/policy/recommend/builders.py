"""Traffic of a small cluster, and what is recommended from it."""

from typing import Any

from conntrail.policy.cluster.snapshot import Snapshot
from conntrail.policy.history.seen import History, Seen, SeenEnd, SeenKey, SeenPod
from conntrail.policy.recommend.dialect import Dialect
from conntrail.policy.recommend.network_policy import NETWORK_POLICY
from conntrail.policy.recommend.recommendation import Recommendation, Wish, read_back, recommend
from tests.unit.conntrail.policy.cluster.builders import Manifest, node, pod

FIRST_MS, LAST_MS = 1_795_458_720_000, 1_795_462_320_000
NODES = [node("node1", "192.0.2.1"), node("node2", "192.0.2.2")]
PODS = [
    pod("web-1", "10.0.0.1"),
    pod("web-2", "10.0.0.2", node="node2"),
    pod("api-1", "10.0.0.3"),
    pod("db-1", "10.0.1.1", namespace="data"),
]
DNS = [
    pod("dns-1", "10.0.9.1", namespace="kube-system", labels={"k8s-app": "kube-dns"}, ports={"dns": 5353}),
    {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "kube-dns", "namespace": "kube-system"},
        "spec": {
            "clusterIP": "10.96.0.10",
            "selector": {"k8s-app": "kube-dns"},
            "ports": [{"port": 53, "protocol": "UDP", "targetPort": 5353}],
        },
    },
]


def end(name: str, namespace: str = "shop", kind: str = "ReplicaSet") -> SeenEnd:
    return SeenEnd("workload", namespace, kind, name)


def outside(address: str) -> SeenEnd:
    return SeenEnd("outside", address=address)


def on_node(name: str) -> SeenEnd:
    return SeenEnd("node", workload_kind="Node", name=name)


def seen(source: SeenEnd, destination: SeenEnd, port: int, **facts: Any) -> Seen:
    """``action``, ``protocol``, ``domains``, ``source_pods``."""
    key = SeenKey(source, destination, facts.get("protocol", "TCP"), port, facts.get("action", "allowed"))
    return Seen(
        key, 3, 5, 100, FIRST_MS, LAST_MS, source_pods=facts.get("source_pods", ()), domains=facts.get("domains", ())
    )


def gone_pod(workload: SeenEnd, name: str, labels: dict[str, str]) -> SeenPod:
    return SeenPod(workload, name, labels, "node1", ("10.0.0.99",), LAST_MS)


def history(*records: Seen, pods: tuple[SeenPod, ...] = ()) -> History:
    return History(seen=tuple(sorted(records, key=lambda item: item.key)), pods={item.key: item for item in pods})


def recommended(
    cluster: Snapshot, past: History, dialect: Dialect = NETWORK_POLICY, **wish: Any
) -> tuple[Recommendation, dict[str, Manifest]]:
    """The policies by name, as a text reads back."""
    found = recommend(Wish(dialect, **wish), past, cluster)
    return found, {item["metadata"]["name"]: item for item in read_back(found.text)}
