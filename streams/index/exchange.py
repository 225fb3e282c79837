"""Documents of DNS and application exchanges: rows of one client, one question or template and one outcome."""

import re
from typing import Final

from streams.index import dataset as datasets
from streams.index.dataset import Dataset, iso_time
from streams.index.document import Body, Document, Record, distinct, head, pruned, without_empty
from streams.index.traffic import end_body, names_of, workloads_of
from streams.metadata.address import canonical

_OUTCOMES: Final = {
    "answered": "success", "failed": "failure", "timeout": "failure", "error": "failure", "unanswered": "failure",
}  # fmt: skip
"""Not known is the outcome of a greeting, of a request whose answer nobody reads, and of what was not shown."""
_INFO: Final = ("answered", "asked", "hello", "cut")
_ADDRESS_TYPES: Final = ("A", "AAAA")
_NS_PER_US: Final = 1000
_TRACE_PARENT: Final = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(?:-.*)?")
"""W3C Trace Context, traceparent: version, trace, span, flags."""


def dns(record: Record, namespace: str) -> Document:
    """A ``logs-conntrail.dns`` document."""
    body = _body(record, datasets.DNS, namespace)
    facts = record["dns"]
    if record["event"]["action"] != "cut":
        body["dns"] = _dns(facts)
    body["conntrail"] |= pruned(
        {"time_to_live_seconds": facts["time_to_live_seconds"], "truncated": facts["truncated"] or None}
    )
    body["related"] = _related(record, [facts["name"]], _resolved(facts))
    return _document(record, datasets.DNS, namespace, body)


def l7(record: Record, namespace: str) -> Document:
    """A ``logs-conntrail.l7`` document."""
    body = _body(record, datasets.L7, namespace)
    http, tls = record["http"], record["tls"]
    body |= _http(http)
    body["tls"] = pruned({"version": tls["version"], "client": {"server_name": tls["server_name"]}})
    body["conntrail"] |= pruned({"tls": {"ja4": tls["ja4"], "alpn": tls["alpn"]}})
    body["related"] = _related(record, [_bare(http["host"]), tls["server_name"]], [])
    return _document(record, datasets.L7, namespace, body)


def _document(record: Record, dataset: Dataset, namespace: str, body: Body) -> Document:
    """What is emitted is final, so it is the first revision for ever."""
    return Document(dataset.index(namespace, record["timestamp_ns"]), record["id"], 1, without_empty(body))


def _body(record: Record, dataset: Dataset, namespace: str) -> Body:
    """What both have in common."""
    event, latency = record["event"], record["latency"]
    body = head(dataset, namespace, record["timestamp_ns"], record["cluster"], "event")
    body["event"] |= pruned(
        {
            "category": ["network"],
            "type": ["connection", "protocol", "info" if event["action"] in _INFO else "error"],
            "action": event["action"],
            "outcome": _OUTCOMES.get(event["action"], "unknown"),
            "start": iso_time(event["start_ns"]),
            "end": iso_time(event["end_ns"]),
            "duration": None if latency["mean_us"] is None else latency["mean_us"] * _NS_PER_US,
            "reason": event["reason"],
        }
    )
    body["network"] = pruned(record["network"])
    for end, role in (("source", "client"), ("destination", "server")):
        body[end] = end_body(record[end])
        body[role] = {name: body[end][name] for name in ("ip", "port") if name in body[end]}
    body["observer"] = {"name": record["observer"]["name"]}
    body["flow"] = {"coverage": record["observer"]["coverage"]}
    body["conntrail"] = {"count": record["count"], **pruned({"latency": latency})}
    if record["policy"]["verdict"] and event["action"] != "cut":
        body["policy"] = pruned(record["policy"])
    if record["rule"]:
        body["rule"] = pruned(record["rule"])
    return body


def _dns(facts: Record) -> Body:
    return pruned(
        {
            "type": "query" if facts["response_code"] == "TIMEOUT" else "answer",
            "question": {"name": facts["name"], "type": facts["question_type"]},
            "response_code": facts["response_code"],
            "answers": [{"data": answer} for answer in facts["answers"]],
            "resolved_ip": _resolved(facts),
            "header_flags": ["TC"] if facts["truncated"] else [],
        }
    )


def _resolved(facts: Record) -> list[str]:
    """Addresses among the answers; a chain of names holds others."""
    if facts["question_type"] not in _ADDRESS_TYPES:
        return []
    addresses = (canonical(answer) for answer in facts["answers"] if "%" not in answer)
    return [address for address in addresses if address is not None]


def _http(http: Record) -> Body:
    trace = _TRACE_PARENT.fullmatch(http["trace_parent"])
    return pruned(
        {
            "http": {
                "request": {"method": http["method"], "id": http["request_id"]},
                "response": {"status_code": http["status"] or None},
                "version": http["version"],
            },
            "url": {"path": http["path"], "domain": _bare(http["host"])},
            "user_agent": {"original": http["user_agent"]},
            "trace": {"id": trace[1] if trace else ""},
            "span": {"id": trace[2] if trace else ""},
        }
    )


def _bare(host: str) -> str:
    """A Host header without its port; an IPv6 address stands in brackets (RFC 3986, 3.2.2)."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def _related(record: Record, names: list[str], addresses: list[str]) -> Body:
    """Every address and every name, to pivot on."""
    source, destination = record["source"], record["destination"]
    service = destination["service"] or {}
    hosts = [*names_of(source["kubernetes"]), *names_of(destination["kubernetes"]), service.get("name"), *names]
    return pruned(
        {
            "ip": distinct([source["ip"], destination["ip"], service.get("ip"), *addresses]),
            "hosts": distinct([*hosts, record["observer"]["name"]]),
            "workloads": workloads_of(source, destination),
        }
    )
