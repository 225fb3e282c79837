"""A cluster with a policy that cuts a client from its database, and denials as nodes tell them."""

from typing import Any

from schemas.batch import Batch
from schemas.schema import read_schema
from schemas.single_object import SingleObjectCodec
from streams.denial.evaluate import evaluate
from streams.denial.nearest import NearestMisses
from streams.denial.record import denial_records
from streams.metadata.directory import Directory
from streams.policy.knowledge import Names
from streams.policy.object import PolicyObject
from streams.policy.timeline import PolicyTimeline
from tests.support.objects import SECOND, directory_of, endpoint_slice, namespace, node, pod, service
from tests.support.parts import batch, part, raw_flow

Row = dict[str, Any]
START = 100 * SECOND
FAMILIES = (("10.0.1.7", "10.0.2.8", "10.96.0.1"), ("fd00:1::7", "fd00:2::8", "fd00:b::1"))
"""Addresses of the client, the database and its Service."""
OBJECTS = (
    namespace("shop", {"kubernetes.io/metadata.name": "shop"}),
    node("node1", "192.168.0.1", networks=("10.0.1.0/24", "fd00:1::/64")),
    node("node2", "192.168.0.2", networks=("10.0.2.0/24", "fd00:2::/64")),
    pod("web", "10.0.1.7", "fd00:1::7", node="node1", labels={"app": "web"},
        workload={"kind": "Deployment", "name": "web"}),
    pod("db", "10.0.2.8", "fd00:2::8", node="node2", labels={"app": "db"},
        workload={"kind": "StatefulSet", "name": "db"}),
    service("db", "10.96.0.1", "fd00:b::1", port=5432),
    endpoint_slice("db-x", "db", "db"),
)  # fmt: skip
DIRECTORY = directory_of(*OBJECTS)
_CODEC = SingleObjectCodec(read_schema("denial"))


def denied(source: str = "10.0.1.7", destination: str = "10.0.2.8", dialled: str = "", **facts: Any) -> Row:
    """A row of denials.raw: two first packets to port 5432."""
    values: Row = {
        "original_source_address": source, "original_destination_address": dialled or destination,
        "reply_source_address": destination, "reply_destination_address": source,
        "original_destination_port": 5432, "reply_source_port": 5432, "protocol": 6, "evidence": "attempt",
        "end_reason": "denied", "state": "syn_sent", "attempts": 2, "started_at_ns": START,
        "seen_at_ns": START + SECOND, **facts,
    }  # fmt: skip
    return raw_flow(**values)


def policy(spec: Any = None, name: str = "db", observed: int = 0) -> PolicyObject:
    """What lets in to ``db`` whoever is labelled app=api, unless told otherwise."""
    allowed = {"from": [{"podSelector": {"matchLabels": {"app": "api"}}}], "ports": [{"port": 5432}]}
    spec = spec or {"podSelector": {"matchLabels": {"app": "db"}}, "policyTypes": ["Ingress"], "ingress": [allowed]}
    return PolicyObject(
        "networking.k8s.io/v1", "NetworkPolicy", "shop", name, f"uid-{name}", spec, observed_at_ns=observed * SECOND
    )


def names_of(*policies: PolicyObject, directory: Directory = DIRECTORY) -> Names:
    timeline = PolicyTimeline()
    for one in policies:
        timeline.apply(one)
    return Names(directory, timeline)


def records(names: Names, *rows: Row, of: Batch | None = None, misses: NearestMisses | None = None) -> list[Row]:
    """As whoever reads the topic gets them."""
    evaluation = evaluate(part(of or batch("node2", start=99, end=102), rows).rows, names)
    made = denial_records(evaluation.rows, names, misses or NearestMisses(), "test")
    return [dict(_CODEC.decode(_CODEC.encode(record))) for _, record in made]
