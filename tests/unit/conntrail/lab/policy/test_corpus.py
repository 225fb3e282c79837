"""The lab's own reading of policies against the verdicts of independent engines: who judges must be right himself."""

import json
import lzma
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from conntrail.errors import CommandError
from conntrail.lab.cluster import Cluster, Node, Object, Pod
from conntrail.lab.manifest.check import checked
from conntrail.lab.manifest.parse import Source
from conntrail.lab.policy.expression import SelectorError, parse_selector
from conntrail.lab.policy.stack import policy_stack
from tests.golden.policy.corpus import Case, cases
from tests.unit.conntrail.lab.policy.packet import Packet, is_let_through

SELECTORS = Path(__file__).parents[4] / "golden/policy/calico_selectors.json.xz"


@dataclass(frozen=True, slots=True)
class PlacedNode(Node):
    given: tuple[str, ...] = ()

    @property
    def addresses(self) -> tuple[str, ...]:  # type: ignore[override] # of one family or both
        return self.given


@dataclass(frozen=True, slots=True)
class PlacedPod(Pod):
    given: tuple[str, ...] = ()

    @property
    def addresses(self) -> tuple[str, ...]:  # type: ignore[override] # of one family or both
        return self.given


def built(case: Case) -> Cluster:
    """Raises CommandError where the case uses what the lab refuses."""
    objects = checked((Source("case", n), value) for n, value in enumerate(case.manifests, 1)).objects
    cluster = Cluster(objects, "2026-01-01T00:00:00Z")
    cluster.nodes = [node(value) for value in cluster.of_kind("Node")]
    cluster.pods = [pod(value) for value in cluster.of_kind("Pod")]
    return cluster


def node(value: Object) -> Node:
    addresses = value.get("status", {}).get("addresses", [])
    given = tuple(item["address"] for item in addresses if item["type"].endswith("IP"))
    return PlacedNode(value["metadata"]["name"], 1, value["metadata"].get("labels", {}), given)


def pod(value: Object) -> Pod:
    metadata, status = value["metadata"], value["status"]
    return PlacedPod(
        namespace=metadata["namespace"],
        name=metadata["name"],
        node=Node("n", 1),
        slot=0,
        created_at="",
        owners=(),
        labels=metadata.get("labels", {}),
        annotations={},
        spec=value["spec"],
        given=tuple(item["ip"] for item in status.get("podIPs") or [{"ip": status["podIP"]}]),
    )


def differences(case: Case, cluster: Cluster, http_at: int) -> tuple[int, list[Any]]:
    stack, pods = policy_stack(cluster), {f"{pod.namespace}/{pod.name}": pod for pod in cluster.pods}
    asked, found = 0, []
    for query in case.queries:
        source, source_address, destination, destination_address, protocol, port = query[:6]
        packet = Packet(source_address, destination_address, protocol.lower(), port)
        for direction, name, side in (("egress", source, query[http_at]), ("ingress", destination, query[http_at + 1])):
            if name:
                asked += 1
                if is_let_through(stack, pods[name], direction, packet) != bool(side[0]):
                    found.append((case.id, direction, query))
    return asked, found


@pytest.mark.parametrize(
    ("kind", "fewest_cases", "http_at"),
    [("network_policy", 147, 6), ("admin_network_policy", 74, 6), ("cluster_network_policy", 78, 6), ("calico", 16, 7)],
)
def test_the_lab_lets_through_what_independent_engines_let_through(
    kind: str, fewest_cases: int, http_at: int, tell: Callable[[str], None]
) -> None:
    read, asked, differing = 0, 0, []
    for case in cases(kind):
        try:
            cluster = built(case)
        except CommandError:
            continue
        read += 1
        count, found = differences(case, cluster, http_at)
        asked += count
        differing += found
    tell(f"lab, {kind}: {read} cases, {asked} questions, {len(differing)} differ")
    assert not differing, f"{len(differing)} of {asked}: {differing[:3]}"
    assert read >= fewest_cases


def test_selectors_select_what_calicos_own_engine_selects() -> None:
    with lzma.open(SELECTORS, "rt", encoding="utf-8") as file:
        corpus = json.load(file)
    read = 0
    for item in corpus["selectors"]:
        try:
            holds = parse_selector(item["selector"])
        except SelectorError:
            continue
        assert item["valid"], item["selector"]
        read += 1
        for labels, is_match in zip(corpus["labels"], item["matches"], strict=True):
            assert holds(labels, False) == bool(is_match), (item["selector"], labels)
    assert read >= sum(item["valid"] for item in corpus["selectors"]) * 0.9
