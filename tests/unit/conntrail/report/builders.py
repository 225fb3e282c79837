"""A cluster's day as documents of the index, and reports made of it."""

from collections.abc import Iterable
from typing import Any

from conntrail.policy.history.period import Period
from conntrail.report.evidence.build import build_report
from conntrail.report.evidence.report import Report
from conntrail.report.fact.coverage import interval_of, lives_of
from conntrail.report.fact.facts import Facts, Scope
from schemas.topic import CHANGES, KUBERNETES_AUDIT, NODES, POLICY_HITS, WINDOWS, Topic
from streams.index.documents import document_of
from tests.support.history import AT_MS, SECOND, inside, node, seen_hit, seen_window
from tests.unit.streams.index.builders import AT_NS, node_status
from tests.unit.streams.index.cluster_builders import audit_event, change

Record = dict[str, Any]
CLUSTER = "prod"
HOUR_MS = 3_600_000
PERIOD = Period(AT_MS - HOUR_MS, AT_MS + HOUR_MS)
FINAL_AT_MS = PERIOD.until_ms + 24 * HOUR_MS
WEB, API, DB = inside("web"), inside("api"), inside("postgres", namespace="data")
INTRUDER = inside("intruder", namespace="lab")
API_DENY, DB_POLICY = "NetworkPolicy:shop/api:rule=-1:deny", "NetworkPolicy:data/postgres:rule=-1:deny"


def body(topic: Topic, record: Record) -> Record:
    """As the index keeps it."""
    found = document_of(topic, record, "default").body
    assert found is not None
    return found


def window(source: Any, destination: Any, port: int, **facts: Any) -> Record:
    """``ingress``, ``egress``, ``denied_by``, ``verdict`` and ``drift`` besides what seen_window takes."""
    record = seen_window("w", source, destination, port, cluster=CLUSTER, **facts)
    record["policy"] |= {
        "ingress": {"policies": facts.get("ingress", [])},
        "egress": {"policies": facts.get("egress", [])},
        "denied_by": facts.get("denied_by", []),
        "verdict": facts.get("verdict", "allow"),
        "drift": facts.get("drift", False),
    }
    record["event"]["reason"] = facts.get("reason")
    return body(WINDOWS, record)


def hit(name: str, rule: int, **facts: Any) -> Record:
    """What a rule decided in one window."""
    return body(POLICY_HITS, seen_hit("h", name, rule, cluster=CLUSTER, **facts))


def interval(name: str, start_seconds: int, end_seconds: int, coverage: str = "complete", **lost: int) -> Record:
    """What a node said; times from the period's middle."""
    start_ns, end_ns = (AT_NS + at * SECOND for at in (start_seconds, end_seconds))
    facts = {"cluster": CLUSTER, "node": name, "interval_start_ns": start_ns, "interval_end_ns": end_ns}
    return body(NODES, node_status(coverage=coverage, lost=lost, **facts))


def policy_change(action: str = "created", by: str = "alice", **facts: Any) -> Record:
    """Of a policy."""
    told = {"kind": "NetworkPolicy", "from_value": "", "to_value": "1 rule", "at_ns": AT_NS, "cluster": CLUSTER}
    return body(CHANGES, change(action=action, by=by, **{**told, **facts}))


def request(user: str = "mallory", status: int = 403) -> Record:
    """To change a policy."""
    return body(KUBERNETES_AUDIT, audit_event(user=user, status_code=status, decision="forbid", verb="delete"))


WINDOWS_OF_THE_DAY = (
    window(WEB, API, 8080, started=5, ingress=["NetworkPolicy:shop/api:rule=0:allow"], size=5000),
    window(WEB, API, 8080, started=2, ingress=["NetworkPolicy:shop/api:rule=0:allow"], at=60, size=100),
    window(API, DB, 5432, started=4, ingress=["NetworkPolicy:data/postgres:rule=0:allow"], size=9000),
    window(INTRUDER, DB, 5432, started=3, action="denied", verdict="deny", denied_by=[DB_POLICY],
           reason="default deny, no matching ingress rule", size=180),
    window(INTRUDER, WEB, 80, started=1, verdict="none"),
    window("203.0.113.9", WEB, 80, started=9, verdict="none"),
    window(API, "198.51.100.7", 443, started=2, verdict="none"),
    window(INTRUDER, API, 8080, started=1, verdict="deny", drift=True, denied_by=[API_DENY],
           ingress=[API_DENY], reason="confirmed, and yet shop/api denies it"),
    window(WEB, "192.0.2.1", 81, started=1, action="failed", verdict="none"),
    window(node("node1"), WEB, 80, started=1, verdict="unknown", coverage="lossy"),
)  # fmt: skip
HITS_OF_THE_DAY = (hit("api", 0), hit("api", 0, at=60), hit("postgres", -1))
INTERVALS_OF_THE_DAY = (
    interval("node1", -3600, 1800),
    interval("node1", 1800, 1810, "lossy", attempts_cut=3),
    interval("node1", 1810, 3600),
    interval("node2", -3700, 0),
    interval("node2", 600, 3600),
)


def facts_of(windows: Iterable[Record] = WINDOWS_OF_THE_DAY, *, namespace: str = "", period: Period = PERIOD) -> Facts:
    """Of a day, with everything that a report shows."""
    facts = Facts(Scope(CLUSTER, namespace), period, period.until_ms)
    for document in windows:
        facts.add_window(document)
    for document in HITS_OF_THE_DAY:
        facts.rules.add(document)
    facts.changes.add_change(policy_change())
    facts.changes.add_request(request())
    facts.coverage.read(map(interval_of, INTERVALS_OF_THE_DAY), lives_of(()))
    facts.audit_events = 7
    return facts


def report_of(facts: Facts | None = None, *, now_ms: int = FINAL_AT_MS) -> Report:
    """Final unless ``now_ms`` is earlier."""
    return build_report(facts or facts_of(), FINAL_AT_MS, now_ms)
