"""From manifests to pods, addresses and objects."""

from importlib.resources import files
from pathlib import Path
from typing import Any

from conntrail.lab.cluster import Cluster
from conntrail.lab.job import Run, jobs, next_run
from conntrail.lab.manifest.check import checked
from conntrail.lab.manifest.parse import parse_manifest
from conntrail.lab.order import orders
from conntrail.lab.place import build_cluster
from conntrail.lab.show import shown
from conntrail.lab.state import Owner, State, format_state, parse_state

AT = "2026-01-01T00:00:00Z"
LATER = "2026-01-01T00:00:09.5+00:00"


def shipped() -> list[dict[str, Any]]:
    data = files("conntrail.lab").joinpath("manifests/cluster.yaml").read_bytes()
    found = checked(parse_manifest(data, "cluster.yaml"))
    assert not found.left_out
    return found.objects


def cluster() -> Cluster:
    return build_cluster(shipped(), AT)


def of_kind(kind: str, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [value for value in found if value["kind"] == kind]


def test_pods_are_on_both_nodes_and_no_address_is_given_twice() -> None:
    pods = cluster().pods
    addresses = [address for pod in pods for address in pod.addresses]
    assert {pod.node.name for pod in pods} == {"node1", "node2"}
    assert len(set(addresses)) == 2 * len(pods)
    assert len({pod.network_namespace for pod in pods}) == len(pods)


def test_an_address_is_handed_out_again_at_once_to_a_pod_of_another_uid() -> None:
    built = cluster()
    first_job, second_job = jobs(built)
    first = next_run(built, first_job, AT)
    during = build_cluster(shipped(), AT, [first])
    beside = build_cluster(shipped(), AT, [first, next_run(during, second_job, LATER)])
    after = build_cluster(shipped(), AT, [next_run(built, second_job, LATER)])
    assert beside.pods[-1].addresses != during.pods[-1].addresses
    assert after.pods[-1].addresses == during.pods[-1].addresses
    assert after.pods[-1].uid != during.pods[-1].uid


def test_owners_lead_from_pod_to_deployment_by_uid() -> None:
    found = shown(cluster())
    by_uid = {value["metadata"]["uid"]: value for value in found}
    assert len(by_uid) == len(found)
    for pod in of_kind("Pod", found):
        replica_set = by_uid[pod["metadata"]["ownerReferences"][0]["uid"]]
        deployment = by_uid[replica_set["metadata"]["ownerReferences"][0]["uid"]]
        assert (replica_set["kind"], deployment["kind"]) == ("ReplicaSet", "Deployment")
        assert pod["metadata"]["name"].startswith(replica_set["metadata"]["name"])


def test_endpoint_slices_hold_the_ports_of_pods_in_both_families() -> None:
    slices = [
        value
        for value in of_kind("EndpointSlice", shown(cluster()))
        if value["metadata"]["labels"]["kubernetes.io/service-name"] == "payment"
    ]
    assert {value["addressType"] for value in slices} == {"IPv4", "IPv6"}
    for value in slices:
        assert value["ports"] == [
            {"name": "http", "protocol": "TCP", "port": 8443},
            {"name": "tls", "protocol": "TCP", "port": 9443},
        ]
        assert len(value["endpoints"]) == 2


def test_a_service_that_selects_nothing_has_no_endpoints() -> None:
    built = cluster()
    archive = next(service for service in built.services if service.name == "archive")
    assert built.endpoints(archive, archive.ports[0]) == []


def test_a_rate_stretches_every_pause_alike() -> None:
    built = cluster()
    usual = dict(orders_of(built, 0))
    slow = dict(orders_of(built, 1))
    rate = sum(1 / every for pauses in slow.values() for every in pauses)
    assert usual.keys() == slow.keys()
    assert abs(rate - 1) < 1e-9


def orders_of(built: Cluster, rate: float) -> list[tuple[str, list[float]]]:
    return [
        (pod.name, [task.every for task in order.tasks if task.kind != "keep"])
        for pod, order in orders(built, Path("truth"), 1, rate)
    ]


def test_state_survives_being_written() -> None:
    state = State(AT, "/tmp/lab", Owner(7, 99), True, {"node1": 7, "node2": 0}, (Run("Job", "a", "b", AT, "node2", 9),))
    assert parse_state(format_state(state)) == state


def test_a_state_that_is_cut_off_is_empty() -> None:
    assert parse_state(format_state(State(AT, is_complete=True))[:20]) == State()
    assert parse_state('{"namespaces": ["node1"]}') == State()
