"""What policies leave open."""

from conntrail.policy.exposure.egress import insecure_egress
from conntrail.policy.exposure.gap import gaps
from conntrail.policy.exposure.lateral import lateral_movement
from conntrail.policy.history.seen import History, Seen, SeenEnd, SeenKey
from tests.unit.conntrail.policy.cluster.builders import Manifest, allow_from, pod, policy, snapshot

WEB = SeenEnd("workload", "shop", "ReplicaSet", "web")
API = SeenEnd("workload", "shop", "ReplicaSet", "api")
JOB = SeenEnd("workload", "ops", "ReplicaSet", "job")
OUTSIDE = SeenEnd("outside", address="203.0.113.9")
PODS = (
    pod("web-1", "10.0.0.1"),
    pod("api-1", "10.0.0.2", ports={"http": 8080}),
    pod("job-1", "10.0.1.1", namespace="ops", ports={"ssh": 22}),
)


def seen(source: SeenEnd, destination: SeenEnd, port: int, action: str = "allowed", **more: tuple[str, ...]) -> Seen:
    return Seen(SeenKey(source, destination, "TCP", port, action), 2, 2, 20, 0, 9, **more)


def egress(*rules: Manifest) -> Manifest:
    return policy("out", {"podSelector": {}, "policyTypes": ["Egress"], "egress": list(rules)})


def test_workloads_are_ranked_by_outside_then_namespaces_then_peers() -> None:
    past = History(seen=(seen(WEB, OUTSIDE, 443), seen(JOB, API, 8080), seen(WEB, API, 8080)))
    found = [(str(gap.workload), gap.direction) for gap in gaps(snapshot(*PODS), past, "")]
    assert found[:3] == [("shop/web", "egress"), ("shop/api", "ingress"), ("ops/job", "egress")]
    assert len(found) == 6


def test_a_selected_workload_is_no_gap_and_a_staged_policy_protects_nobody() -> None:
    cluster = snapshot(*PODS, allow_from("web", "api"), policy("s", {"podSelector": {}},
                       annotations={"conntrail.io/staged": "true"}))  # fmt: skip
    found = {(str(gap.workload), gap.direction) for gap in gaps(cluster, History(), "shop")}
    assert found == {("shop/api", "egress"), ("shop/web", "ingress"), ("shop/web", "egress")}


def test_a_workload_of_which_some_pods_are_open_is_a_gap() -> None:
    cluster = snapshot(*PODS, pod("api-2", "10.0.0.9", app="api", labels={"app": "canary"}), allow_from("web", "api"))
    (gap,) = [gap for gap in gaps(cluster, History(), "") if gap.workload == API and gap.direction == "ingress"]
    assert (gap.open_pods, gap.pods) == (1, 2)


def test_denied_tries_are_no_exposure() -> None:
    past = History(seen=(seen(WEB, OUTSIDE, 443, "denied"),))
    assert all(gap.exposure.outside == 0 for gap in gaps(snapshot(*PODS), past, ""))


def test_clear_text_and_nameless_destinations_outside_are_found() -> None:
    past = History(seen=(
        seen(WEB, OUTSIDE, 80, domains=("a.example",)), seen(WEB, OUTSIDE, 443),
        seen(WEB, SeenEnd("outside", address="203.0.113.8"), 443, domains=("b.example",)), seen(WEB, API, 80),
    ))  # fmt: skip
    found = [(item.who, item.problem) for item in insecure_egress(snapshot(*PODS), past, "")]
    assert found == [("shop/web", "no-name"), ("shop/web", "unencrypted-port")]


def test_rules_to_anywhere_are_found_and_dns_is_none() -> None:
    dns = {"ports": [{"port": 53, "protocol": "UDP"}]}
    anywhere = {"to": [{"ipBlock": {"cidr": "::/0"}}], "ports": [{"port": 443}]}
    inside = {"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}
    found = insecure_egress(snapshot(*PODS, egress(dns, inside, anywhere)), History(), "")
    assert [(item.problem, item.words) for item in found] == [
        ("any-destination", "rule 2: allow to ::/0 on TCP 443"),
    ]


def test_reach_is_what_policies_allow_and_use_is_what_was_seen() -> None:
    past = History(seen=(seen(WEB, API, 8080), seen(JOB, API, 8080, "denied")))
    found, notes = lateral_movement(snapshot(*PODS, allow_from("web", "api")), past, "")
    reach = {item.workload: item for item in found}
    assert notes == ()
    assert reach[WEB].reachable == ((JOB, "TCP", 22), (API, "TCP", 8080))
    assert reach[WEB].unused == ((JOB, "TCP", 22),)
    assert reach[JOB].reachable == ()
    assert found[0].unused
