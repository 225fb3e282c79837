"""Judging a pair of ends that nobody asked about before, against a bare loop over the same manifests."""

import random
import time
from collections.abc import Callable, Iterable, Mapping
from ipaddress import ip_address, ip_network
from typing import Any

from conntrail.policy.manifest import build_cluster
from streams.policy.evaluate import evaluate
from streams.policy.network import parse_address
from streams.policy.question import End, Question

NAMESPACES, PODS, POLICIES, QUESTIONS = 50, 10_000, 1_000, 20_000
RUNS = 3
Object = dict[str, Any]
Asked = tuple[Object, Object, int]


def run() -> list[dict[str, Any]]:
    """CPU time of one process; both give the same answers."""
    chance = random.Random(1)
    pods, policies = list(pods_of(chance)), list(policies_of(chance))
    namespaces = [namespace(number) for number in range(NAMESPACES)]
    asked = [(chance.choice(pods), chance.choice(pods), chance.randrange(8000, 8010)) for _ in range(QUESTIONS)]
    cluster = build_cluster([*namespaces, *pods, *policies])
    questions = [question(cluster.pods, *item) for item in asked]
    bare = BareLoop(namespaces, policies)
    ours, seconds = measured(lambda: [is_allowed(evaluate(cluster.policies, item)) for item in questions])
    theirs, bare_seconds = measured(lambda: [bare.is_allowed(*item) for item in asked])
    assert ours == theirs, "the same questions, the same answers"
    return [
        {
            "name": "policy.evaluate",
            "value": QUESTIONS / seconds,
            "unit": f"evaluations a second, uncached, {POLICIES} policies, {PODS} pods",
            "ratio": bare_seconds / seconds,
            "against": "a bare loop over the manifests of each namespace",
            "aim": "at least 1",
            "holds": bare_seconds >= seconds,
        }
    ]


def namespace(number: int) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": f"team{number}", "labels": {"area": f"area{number % 10}"}},
    }


def pods_of(chance: random.Random) -> Iterable[Object]:
    """Ten workloads a namespace."""
    for number in range(PODS):
        app = f"app{chance.randrange(10)}"
        yield {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": f"pod{number}",
                "namespace": f"team{number % NAMESPACES}",
                "uid": str(number),
                "labels": {"app": app, "tier": f"tier{chance.randrange(3)}"},
            },
            "spec": {"containers": [{"name": "app", "ports": [{"name": "web", "containerPort": 8080}]}]},
            "status": {"podIPs": [{"ip": f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"}]},
        }


def policies_of(chance: random.Random) -> Iterable[Object]:
    """Twenty a namespace, each with three rules of two peers and two ports."""
    for number in range(POLICIES):
        direction, side = chance.choice([("ingress", "from"), ("egress", "to")])
        rules = [
            {
                side: [peer(chance), peer(chance)],
                "ports": [
                    {"port": chance.randrange(8000, 8010)},
                    {"port": 8000, "endPort": 8000 + chance.randrange(4)},
                ],
            }
            for _ in range(3)
        ]
        yield {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": f"policy{number}", "namespace": f"team{number % NAMESPACES}"},
            "spec": {
                "podSelector": {"matchLabels": {"app": f"app{chance.randrange(10)}"}},
                "policyTypes": [direction.title()],
                direction: rules,
            },
        }


def peer(chance: random.Random) -> Object:
    if chance.random() < 0.2:
        return {"ipBlock": {"cidr": f"10.0.{chance.randrange(5) * 8}.0/21"}}
    found: Object = {"podSelector": {"matchLabels": {"tier": f"tier{chance.randrange(3)}"}}}
    if chance.random() < 0.5:
        found["namespaceSelector"] = {"matchLabels": {"area": f"area{chance.randrange(10)}"}}
    return found


def question(pods: Mapping[str, Any], source: Object, destination: Object, port: int) -> Question:
    ends = []
    for manifest in (source, destination):
        pod = pods[f"{manifest['metadata']['namespace']}/{manifest['metadata']['name']}"]
        ends.append(End(pod, parse_address(pod.addresses[0])))
    return Question(ends[0], ends[1], "TCP", port)


def is_allowed(trace: Any) -> bool:
    return "deny" not in (trace.egress.action, trace.ingress.action)


class BareLoop:
    """What everybody would write first, from the text of the NetworkPolicy API."""

    def __init__(self, namespaces: Iterable[Object], policies: Iterable[Object]) -> None:
        self.labels = {value["metadata"]["name"]: value["metadata"]["labels"] for value in namespaces}
        self.policies: dict[str, list[Object]] = {}
        for policy in policies:
            self.policies.setdefault(policy["metadata"]["namespace"], []).append(policy)

    def is_allowed(self, source: Object, destination: Object, port: int) -> bool:
        if source is destination:
            return True
        return self.passes(source, destination, port, "egress", "to") and self.passes(
            destination, source, port, "ingress", "from"
        )

    def passes(self, subject: Object, other: Object, port: int, direction: str, side: str) -> bool:
        isolated = False
        for policy in self.policies[subject["metadata"]["namespace"]]:
            spec = policy["spec"]
            if direction not in spec or not holds(spec["podSelector"], subject["metadata"]["labels"]):
                continue
            isolated = True
            for rule in spec[direction]:
                if any(item["port"] <= port <= item.get("endPort", item["port"]) for item in rule["ports"]) and any(
                    self.is_peer(item, policy, other) for item in rule[side]
                ):
                    return True
        return not isolated

    def is_peer(self, item: Object, policy: Object, other: Object) -> bool:
        if "ipBlock" in item:
            return ip_address(other["status"]["podIPs"][0]["ip"]) in ip_network(item["ipBlock"]["cidr"])
        namespace = other["metadata"]["namespace"]
        if "namespaceSelector" in item:
            if not holds(item["namespaceSelector"], self.labels[namespace]):
                return False
        elif namespace != policy["metadata"]["namespace"]:
            return False
        return holds(item["podSelector"], other["metadata"]["labels"])


def holds(selector: Object, labels: Mapping[str, str]) -> bool:
    return all(labels.get(key) == value for key, value in selector["matchLabels"].items())


def measured(work: Callable[[], list[bool]]) -> tuple[list[bool], float]:
    """The answers, and the least CPU seconds of some runs."""
    answers: list[bool] = []
    best = float("inf")
    for _ in range(RUNS):
        began = time.process_time()
        answers = work()
        best = min(best, time.process_time() - began)
    return answers, best
