"""Where pods are placed, and what does not fit."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conntrail.errors import CommandError
from conntrail.lab.cluster import SLOTS
from conntrail.lab.network.firewall import ruleset
from conntrail.lab.network.link import namespaces
from conntrail.lab.policy.stack import policy_stack
from conntrail.lab.show import shown
from tests.unit.conntrail.lab.builders import an_object, built, pod_spec, pods, workload

POLICY = an_object("NetworkPolicy", "closed", {"podSelector": {}, "ingress": [{"from": [{"podSelector": {}}]}]})


def test_without_nodes_there_are_two() -> None:
    assert [node.name for node in built(workload("Deployment", "a")).nodes] == ["node1", "node2"]


def test_a_pod_is_where_it_was_bound_and_anywhere_when_that_node_is_not_there() -> None:
    bound = [an_object("Pod", name, pod_spec(nodeName=node)) for name, node in (("a", "node2"), ("b", "gone"))]
    assert [pod.node.name for pod in pods(*bound)] == ["node2", "node1"]


def test_a_node_selector_means_nodes_by_label_and_anywhere_where_kubernetes_would_wait() -> None:
    fast = {"nodeSelector": {"disk": "fast"}}
    nodes = [an_object("Node", "n1"), an_object("Node", "n2", labels={"disk": "fast"})]
    values = [workload("Deployment", "a", 3, **fast), workload("DaemonSet", "d", **fast)]
    assert {pod.node.name for pod in pods(*nodes, *values)} == {"n2"}
    without = pods(nodes[0], *values)
    assert [(pod.workload[0], pod.node.name) for pod in without] == [("Deployment", "n1")] * 3
    by_name = workload("Deployment", "a", 3, nodeSelector={"kubernetes.io/hostname": "node2"})
    assert {pod.node.name for pod in pods(by_name)} == {"node2"}


def test_a_pod_on_the_hosts_network_has_its_nodes_addresses_and_no_namespace_of_its_own() -> None:
    host = an_object("Pod", "host", pod_spec({"containerPort": 80}, hostNetwork=True), labels={"app": "a"})
    service = an_object("Service", "s", {"selector": {"app": "a"}, "ports": [{"port": 80}]})
    cluster = built(host, service, POLICY)
    pod = cluster.pods[0]
    assert pod.addresses == cluster.nodes[0].addresses
    assert "default.host" not in namespaces(cluster)
    assert pod.network_namespace == "node1"
    assert not policy_stack(cluster).chosen(pod, "ingress")
    text = ruleset(cluster, cluster.nodes[0])
    assert "dnat ip to 172.30.0.1:80" in text
    assert "jump" not in text.replace("jump services", "")
    (seen,) = [value for value in shown(cluster) if value["kind"] == "Pod"]
    assert seen["spec"]["hostNetwork"]
    assert seen["status"]["podIP"] == "172.30.0.1"


def test_pods_on_the_hosts_network_take_no_address_from_others() -> None:
    hosts = workload("Deployment", "h", 600, hostNetwork=True)
    found = pods(hosts, workload("Deployment", "a", 2 * len(SLOTS)))
    assert len(found) == 600 + 2 * len(SLOTS)


@pytest.mark.parametrize("replicas", [2 * len(SLOTS) + 1, 10**12])
def test_more_pods_than_addresses_are_refused_at_once(replicas: int) -> None:
    with pytest.raises(CommandError, match=r"Deployment default/a: no address .* holds 240, .* have 2 of them; lower"):
        built(workload("Deployment", "a", replicas))


def test_a_daemon_set_finds_no_room_on_a_full_node() -> None:
    full = workload("Deployment", "a", 2 * len(SLOTS))
    with pytest.raises(CommandError, match="DaemonSet default/d: no address"):
        built(full, workload("DaemonSet", "d"))


def test_more_nodes_than_addresses_are_refused() -> None:
    with pytest.raises(CommandError, match="at most 200 nodes, the manifests have 201"):
        built(*(an_object("Node", f"n{number}") for number in range(201)))


def test_a_namespace_of_the_labs_own_is_no_nodes_name() -> None:
    with pytest.raises(CommandError, match=r"node lab-outside: .* rename it"):
        namespaces(built(an_object("Node", "lab-outside")))


def test_a_pod_and_a_node_of_one_network_namespace_are_refused() -> None:
    with pytest.raises(CommandError, match=r"would be called default\.a: rename one"):
        built(an_object("Node", "default.a"), an_object("Pod", "a", pod_spec()))


def test_a_name_too_long_for_a_network_namespace_is_refused() -> None:
    with pytest.raises(CommandError, match="261 characters, too long for the name of a network namespace"):
        built(an_object("Pod", "a" * 253, pod_spec()))


def test_services_without_an_address_of_their_own() -> None:
    selector, ports = {"app": "a"}, [{"port": 80, "targetPort": "web"}]
    cluster = built(
        an_object("Pod", "a", pod_spec({"name": "web", "containerPort": 8080}), labels=selector),
        an_object("Service", "headless", {"clusterIP": "None", "selector": selector, "ports": ports}),
        an_object("Service", "elsewhere", {"type": "ExternalName", "externalName": "example.com"}),
        an_object("Service", "free", {"ports": ports, "clusterIP": "10.1.2.3", "clusterIPs": ["10.1.2.3"]}),
    )
    services = {value["metadata"]["name"]: value["spec"] for value in shown(cluster) if value["kind"] == "Service"}
    slices = [value for value in shown(cluster) if value["kind"] == "EndpointSlice"]
    assert services["headless"]["clusterIP"] == "None"
    assert "clusterIP" not in services["elsewhere"]
    assert services["free"]["clusterIPs"] == list(cluster.services[2].addresses)
    assert {value["metadata"]["labels"]["kubernetes.io/service-name"] for value in slices} == {"headless"}
    text = ruleset(cluster, cluster.nodes[0])
    assert "dnat" not in text
    assert text.count("counter reject") == 4  # of the service that leads nowhere: two families, twice


def test_a_sidecars_ports_are_the_pods() -> None:
    sidecar = {"name": "s", "restartPolicy": "Always", "ports": [{"name": "mesh", "containerPort": 15000}]}
    init = {"name": "i", "ports": [{"name": "gone", "containerPort": 1}]}
    (pod,) = pods(an_object("Pod", "a", {**pod_spec(), "initContainers": [sidecar, init]}))
    assert pod.port_named("mesh", "TCP") == 15000
    assert pod.port_named("gone", "TCP") is None


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.sampled_from(["Deployment", "StatefulSet", "DaemonSet"]), st.integers(0, 30)), max_size=8),
    st.integers(1, 5),
    st.randoms(use_true_random=False),
)
def test_no_two_pods_share_an_address_or_a_name_and_nodes_are_filled_alike(
    asked: list[tuple[str, int]], count: int, random: Random
) -> None:
    nodes = [an_object("Node", f"n{number}") for number in range(count)]
    objects = [*nodes, *(workload(kind, f"w{n}", replicas) for n, (kind, replicas) in enumerate(asked))]
    random.shuffle(objects)
    cluster = built(*objects)
    each = sum(kind == "DaemonSet" for kind, _ in asked)
    assert len(cluster.pods) == each * count + sum(replicas for kind, replicas in asked if kind != "DaemonSet")
    addresses = [address for pod in cluster.pods for address in pod.addresses]
    assert len(set(addresses)) == len(addresses)
    assert len(set(namespaces(cluster))) == len(namespaces(cluster))
    filled = [sum(pod.node == node for pod in cluster.pods) for node in cluster.nodes]
    assert max(filled) - min(filled) <= 1 + each
