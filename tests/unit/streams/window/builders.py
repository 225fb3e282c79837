"""Judged rows and a small cluster for tests of what becomes of them."""

from typing import Any

import polars as pl

from schemas.schema import read_schema
from schemas.single_object import SingleObjectCodec
from streams.match.columns import MATCHED
from streams.metadata.directory import Directory
from streams.window.flow import Row, Stamp
from tests.support.objects import SECOND, directory_of, endpoint_slice, node, pod, service

CLUSTER = (
    node("node1", "192.168.0.1"),
    pod("web-1", "10.0.1.7", "fd00::7", workload={"kind": "Deployment", "name": "web"}, labels={"app": "web"}),
    pod("web-2", "10.0.1.8", workload={"kind": "Deployment", "name": "web"}),
    pod("api-1", "10.0.2.8", "fd00::8", node="node2", workload={"kind": "Deployment", "name": "api"}),
    service("api", "10.96.0.1", node_port=30080),
    endpoint_slice("api-x", "api", "api-1"),
)
NODE, WEB_1, WEB_2, API = 0, 1, 2, 3
STAMP = Stamp("test", 3, 7, replaces=False, start_ns=60 * SECOND, end_ns=120 * SECOND)
SCHEMA = {
    **MATCHED,
    "policy_verdict": pl.String(),
    "ingress_policies": pl.List(pl.String),
    "egress_policies": pl.List(pl.String),
    "denied_by": pl.List(pl.String),
    "pending": pl.List(pl.String),
    "rule_name": pl.String(),
    "rule_id": pl.String(),
    "rule_ruleset": pl.String(),
    "rule_category": pl.String(),
    "rule_uuid": pl.String(),
    "action": pl.String(),
    "reason": pl.String(),
    "drift": pl.Boolean(),
}
_BLANK: Row = {
    **dict.fromkeys(SCHEMA),
    "flow_id": 1, "flow_key": 7, "protocol": 6, "zone": 0, "source_address": "10.0.1.7", "source_port": 40000,
    "destination_address": "10.0.2.8", "destination_port": 8080, "source_index": WEB_1, "destination_index": API,
    "direction": "internal", "source_packets": 3, "source_bytes": 300, "destination_packets": 2,
    "destination_bytes": 200, "reporter": "both", "observer": "node1", "observers": ["node1", "node2"],
    "coverage": "complete", "is_first": True, "is_final": False, "end_reason": "active", "state": "established",
    "seen_reply": True, "is_attempt": False, "attempts": 0, "evidence": ["confirmed"],
    "started_at_ns": 65 * SECOND, "seen_at_ns": 69 * SECOND, "interval_start_ns": 60 * SECOND,
    "interval_end_ns": 70 * SECOND, "is_orphan": False, "policy_verdict": "none", "ingress_policies": [],
    "egress_policies": [], "denied_by": [], "pending": [], "action": "allowed", "drift": False,
    "is_destination_unnamed": False,
}  # fmt: skip


def directory(*more: Any) -> Directory:
    """Of the cluster, with more records."""
    return directory_of(*CLUSTER, *more)


def judged(**facts: Any) -> Row:
    """A connection from web-1 to api-1 that was allowed."""
    unknown = set(facts) - set(SCHEMA)
    assert not unknown, f"no column: {unknown}"
    return {**_BLANK, **facts}


def denied(**facts: Any) -> Row:
    """An attempt that a policy of api denied."""
    hit = "NetworkPolicy:shop/api:rule=-1:deny"
    facts = {
        "action": "denied", "policy_verdict": "deny", "ingress_policies": [hit], "denied_by": [hit],
        "evidence": ["attempt", "evaluation"], "is_attempt": True, "is_final": True, "seen_reply": False,
        "end_reason": "denied", "reason": "isolated by NetworkPolicy shop/api", "rule_name": "shop/api",
        "rule_id": "-1", "rule_ruleset": "NetworkPolicy", "rule_category": "ingress", "rule_uuid": "uid-api",
        "state": "", **facts,
    }  # fmt: skip
    return judged(**facts)


def frame(*rows: Row) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=SCHEMA)


def through_avro(schema: str, record: Row) -> Row:
    """A record as whoever reads the topic gets it."""
    codec = SingleObjectCodec(read_schema(schema))
    return codec.decode(codec.encode(record))
