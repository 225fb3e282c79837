from conntrail.policy.cluster.build import build_snapshot
from conntrail.policy.explain.target import find_target
from streams.metadata.endpoint import ContainerPort
from streams.policy.evaluate import evaluate
from streams.policy.network import parse_address
from streams.policy.question import End, Question
from tests.support.objects import deleted, endpoint_slice, held
from tests.support.objects import pod as pod_record
from tests.unit.conntrail.policy.cluster.builders import manifest, node, pod, policy, service, snapshot


def test_pods_know_workload_namespace_labels_and_ports() -> None:
    found = snapshot(manifest("Namespace", "shop", namespace="", labels={"team": "a"}), pod("web-1", "10.0.0.1",
                     ports={"http": 8080}))  # fmt: skip
    web = found.pods["shop/web-1"].endpoint
    assert found.pods["shop/web-1"].workload == ("shop", "ReplicaSet", "web")
    assert web.namespace_labels == {"team": "a", "kubernetes.io/metadata.name": "shop"}
    assert web.ports == (ContainerPort("http", "TCP", 8080),)
    assert web.service_account == "default"
    assert found.pods["shop/web-1"].is_ready


def test_objects_without_a_namespace_are_in_default() -> None:
    found = snapshot(pod("web-1", "10.0.0.1", namespace=""), policy("p", {"podSelector": {}}, namespace=""))
    assert list(found.pods) == ["default/web-1"]
    assert [item.namespace for item in found.objects] == ["default"]


def test_backends_come_from_endpoint_slices_and_else_from_the_selector() -> None:
    objects = [pod("web-1", "10.0.0.1", ready=False), service("web", "10.96.0.1", 80, 8080)]
    guessed = snapshot(*objects).services["shop/web"]
    assert guessed.is_guessed
    assert [(backend.pod, backend.is_ready) for backend in guessed.backends] == [("shop/web-1", False)]
    slices = manifest(
        "EndpointSlice", "web-x", version="discovery.k8s.io/v1", labels={"kubernetes.io/service-name": "web"},
        endpoints=[{"addresses": ["10.0.0.1"], "conditions": {"ready": True},
                    "targetRef": {"kind": "Pod", "name": "web-1"}}],
    )  # fmt: skip
    told = snapshot(*objects, slices)
    assert not told.services["shop/web"].is_guessed
    assert [backend.is_ready for backend in told.services["shop/web"].backends] == [True]
    assert told.pods["shop/web-1"].endpoint.services == ("web",)


def test_what_is_deleted_or_ended_is_not_there_and_released_addresses_are_nobody_s() -> None:
    living = pod_record("web-1", held("10.0.0.1", 0, 5), held("10.0.0.2", 5))
    done = pod_record("job-1", "10.0.0.3", phase="Succeeded")
    found = build_snapshot([living, done, deleted(pod_record("old-1", "10.0.0.4"), 9), endpoint_slice("s", "web")])
    assert list(found.pods) == ["shop/web-1"]
    assert found.pods["shop/web-1"].endpoint.addresses == ("10.0.0.2",)


def test_policies_of_kinds_that_are_not_evaluated_are_there_with_their_fault() -> None:
    antrea = manifest("NetworkPolicy", "c", version="crd.antrea.io/v1beta1", spec={})
    found = snapshot(policy("p", {"podSelector": {}}), antrea)
    assert sorted((item.name, bool(item.faults)) for item in found.policies.policies) == [("c", True), ("p", False)]


def test_nodes_and_pods_are_found_by_address() -> None:
    found = snapshot(node("node1", "192.0.2.1"), pod("web-1", "10.0.0.1"))
    assert sorted(endpoint.name for endpoint in found.by_address.values()) == ["node1", "web-1"]


def test_policies_find_the_sets_and_services_that_they_refer_to() -> None:
    network_set = manifest(
        "GlobalNetworkSet", "partners", namespace="", version="projectcalico.org/v3", labels={"role": "partner"},
        spec={"nets": ["203.0.113.0/24"]},
    )  # fmt: skip
    slices = manifest(
        "EndpointSlice", "db-x", version="discovery.k8s.io/v1", labels={"kubernetes.io/service-name": "db"},
        ports=[{"port": 5432, "protocol": "TCP"}], endpoints=[{"addresses": ["198.51.100.7"]}],
    )  # fmt: skip
    to_set = {"action": "Allow", "destination": {"selector": "role == 'partner'", "namespaceSelector": "global()"}}
    to_service = {"action": "Allow", "destination": {"services": {"name": "db", "namespace": "shop"}}}
    spec = {"selector": "all()", "types": ["Egress"], "egress": [to_set, to_service]}
    calico = manifest("NetworkPolicy", "out", version="projectcalico.org/v3", spec=spec)
    found = snapshot(pod("web-1", "10.0.0.1"), network_set, slices, calico)
    (source,) = find_target("shop/web-1", found).ends
    verdicts = {
        address: evaluate(found.policies, Question(source, End(None, parse_address(address)), "TCP", 5432)).verdict
        for address in ("203.0.113.9", "198.51.100.7", "192.0.2.9")
    }
    assert verdicts == {"203.0.113.9": "allow", "198.51.100.7": "allow", "192.0.2.9": "deny"}
