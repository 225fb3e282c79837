"""Documents of flows and windows, and what documents of everything between two ends have in common."""

from collections.abc import Iterable

from streams.index import dataset as datasets
from streams.index.dataset import Dataset, iso_time
from streams.index.document import Body, Document, Record, distinct, head, pruned, spanned

_OUTCOMES = {"allowed": "success", "denied": "failure", "failed": "failure"}


def flow(record: Record, namespace: str) -> Document:
    """A ``logs-conntrail.flow`` document."""
    event = record["event"]
    facts, nodes = record["flow"], record["observer"]
    kinds = ["connection", *_action_kind(event["action"])]
    if facts["connections"]["started"]:
        kinds.append("start")
    kinds.append("end" if facts["final"] else "info")
    body = traffic_body(record, datasets.FLOW, namespace, "event", kinds)
    body["flow"] = pruned(facts)
    body["observer"] = pruned(nodes)
    body["related"] = related(record, nodes["nodes"])
    return spanned(record, datasets.FLOW, namespace, body)


def window(record: Record, namespace: str) -> Document:
    """A ``metrics-conntrail.window`` document."""
    kinds = ["connection", *_action_kind(record["event"]["action"]), "info"]
    body = traffic_body(record, datasets.WINDOW, namespace, "metric", kinds)
    body["flow"] = pruned(record["flow"])
    body["related"] = related(record, ())
    return spanned(record, datasets.WINDOW, namespace, body)


def traffic_body(record: Record, dataset: Dataset, namespace: str, kind: str, kinds: list[str]) -> Body:
    """What flows and windows have in common."""
    event = record["event"]
    body = head(dataset, namespace, record["timestamp_ns"], record["cluster"], kind)
    facts = {
        "category": ["network"],
        "type": kinds,
        "action": event["action"],
        "outcome": _OUTCOMES.get(event["action"], "unknown"),
        "start": iso_time(event["start_ns"]),
        "end": iso_time(event["end_ns"]),
        "duration": event["duration_ns"],
    }
    if event["reason"]:
        facts["reason"] = event["reason"]
    body["event"] |= facts
    body["network"] = pruned(record["network"])
    for name in ("source", "destination"):
        body[name] = end_body(record[name])
    for name in ("tcp", "policy", "rule"):
        if record[name]:
            body[name] = pruned(record[name])
    return body


def end_body(end: Record) -> Body:
    """One side of the traffic."""
    body = pruned(end)
    if not body.get("port"):
        body.pop("port", None)  # ICMP, or a window's many source ports
    if not body.get("unnamed"):
        body.pop("unnamed", None)
    kubernetes = end["kubernetes"]
    if kubernetes and kubernetes["labels"]:
        body["kubernetes"]["labels"] = kubernetes["labels"]  # one without a value is there all the same
    return body


def related(record: Record, nodes: Iterable[str]) -> Body:
    """Every address and every name, to pivot on."""
    source, destination = record["source"], record["destination"]
    service = destination["service"] or {}
    nat = source.get("nat") or {}
    addresses = (source["ip"], destination["ip"], nat.get("ip"), service.get("ip"))
    hosts: list[str | None] = [*names_of(source["kubernetes"]), *names_of(destination["kubernetes"])]
    hosts += [service.get("name"), destination["domain"], *nodes]
    return {"ip": distinct(addresses), "hosts": distinct(hosts), "workloads": workloads_of(source, destination)}


def names_of(kubernetes: Record | None) -> list[str]:
    """Names of an end's pod, node and Service."""
    if kubernetes is None:
        return []
    return [kubernetes[part]["name"] for part in ("pod", "node", "service") if kubernetes[part]]


def workloads_of(*ends: Record) -> list[str]:
    """Workloads of both ends."""
    return distinct(_workload(end["kubernetes"]) for end in ends)


def _workload(kubernetes: Record | None) -> str | None:
    """One word for a workload, which every dataset has: a single filter finds all that concerns it."""
    if kubernetes is None or not kubernetes["workload"]:
        return None
    return f"{kubernetes['namespace']}/{kubernetes['workload']['name']}"


def _action_kind(action: str) -> list[str]:
    """ECS event.type knows allowed and denied, but no word for a connection that failed by itself."""
    return [action] if action in ("allowed", "denied") else []
