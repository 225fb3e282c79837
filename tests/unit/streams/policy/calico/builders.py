"""Short ways to write objects of Calico and to ask about them."""

from typing import Any

from streams.metadata.endpoint import Endpoint
from streams.policy.compile import compile_object
from streams.policy.evaluate import evaluate
from streams.policy.object import PolicyObject
from streams.policy.policy import Policy
from streams.policy.policy_set import policy_set
from streams.policy.question import Question
from streams.policy.trace import Trace
from tests.unit.streams.policy.builders import START, pod, port, question

VERSION = "projectcalico.org/v3"
WEB = pod("web", address="10.0.0.1", service_account="web-sa")
DB = pod("db", address="10.0.0.2", ports=(port("sql", 5432),), service_account="db-sa")
PAY = pod("till", "pay", address="10.0.1.1", namespace_labels={"team": "red"})


def calico(kind: str, name: str, namespace: str = "shop", **spec: Any) -> PolicyObject:
    place = "" if "Global" in kind or kind in ("Tier", "HostEndpoint") else namespace
    return PolicyObject(VERSION, kind, place, name, f"uid-{name}", spec, observed_at_ns=START - 60_000_000_000)


def policy(name: str = "p", **spec: Any) -> PolicyObject:
    return calico("NetworkPolicy", name, **spec)


def global_policy(name: str = "g", **spec: Any) -> PolicyObject:
    return calico("GlobalNetworkPolicy", name, **spec)


def tier(name: str, order: float, default: str = "Deny") -> PolicyObject:
    return calico("Tier", name, order=order, defaultAction=default)


def network_set(name: str, nets: list[str], labels: dict[str, str], namespace: str = "", **more: Any) -> PolicyObject:
    kind = "NetworkSet" if namespace else "GlobalNetworkSet"
    return PolicyObject(VERSION, kind, namespace, name, "", {"nets": nets, **more}, labels=labels)


def account(name: str, labels: dict[str, str], namespace: str = "shop") -> PolicyObject:
    return PolicyObject("v1", "ServiceAccount", namespace, name, "", None, labels=labels)


def namespace(name: str, labels: dict[str, str]) -> PolicyObject:
    return PolicyObject("v1", "Namespace", "", name, "", None, labels=labels)


def ask(*objects: PolicyObject, of: Question | None = None) -> Trace:
    return evaluate(policy_set(compile_object(item) for item in objects), of or question(WEB, DB))


def ingress(*objects: PolicyObject, source: Endpoint | str = WEB, number: int = 80, protocol: str = "TCP") -> str:
    return ask(*objects, of=question(source, DB, number, protocol)).ingress.action


def hits(*objects: PolicyObject, of: Question | None = None) -> list[str]:
    return [str(hit) for hit in ask(*objects, of=of).ingress.hits]


def faults(*objects: PolicyObject) -> list[str]:
    linked = policy_set(compile_object(item) for item in objects).policies
    return [fault for item in linked if isinstance(item, Policy) for fault in item.faults]
