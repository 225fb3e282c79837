"""Documents of the types that are no flows, by the names that ECS and the contract give."""

from typing import Any

Document = dict[str, Any]
_TIME = "2026-11-23T18:32:00.123Z"
_CLIENT = {
    "ip": "10.244.1.10",
    "kubernetes": {
        "namespace": "shop",
        "pod": {"name": "web-1"},
        "workload": {"kind": "Deployment", "name": "web"},
    },
}
_SERVER = {
    "ip": "10.244.2.10",
    "port": 53,
    "kubernetes": {"namespace": "kube-system", "pod": {"name": "dns-1"}, "workload": {"name": "dns"}},
}


def _exchange(dataset: str, action: str, **facts: Any) -> Document:
    return {
        "@timestamp": _TIME,
        "event": {"dataset": f"conntrail.{dataset}", "action": action, "end": _TIME},
        "network": {"transport": "udp", "type": "ipv4", "protocol": dataset},
        "source": _CLIENT,
        "destination": _SERVER,
        "related": {"ip": ["10.244.1.10", "10.244.2.10", "10.96.0.15"]},
        "flow": {"coverage": "complete"},
        "conntrail": {"count": 3, "latency": {"mean_us": 1200, "p50_us": 900, "p95_us": 2500, "max_us": 2600}},
        **facts,
    }


def dns(**facts: Any) -> Document:
    """Three questions for one name."""
    question = {"name": "payment.shop.svc.cluster.local", "type": "A"}
    asked = {"question": question, "response_code": "NOERROR", "resolved_ip": ["10.96.0.11"]}
    return _exchange("dns", "answered", dns=asked) | facts


def http(**facts: Any) -> Document:
    """Three requests for one path template."""
    found = _exchange(
        "l7",
        "error",
        http={"request": {"method": "GET"}, "response": {"status_code": 500}, "version": "1.1"},
        url={"path": "/orders/{id}", "domain": "payment"},
        user_agent={"original": "curl/8"},
    )
    return {**found, "network": {"transport": "tcp", "protocol": "http"}, **facts}


def tls(**facts: Any) -> Document:
    """Three hellos to one name."""
    found = _exchange("l7", "hello", tls={"client": {"server_name": "api.example.org"}, "version": "1.3"})
    found["conntrail"] = {"count": 3, "tls": {"ja4": "t13d1516h2", "alpn": ["h2", "http/1.1"]}}
    return {**found, "network": {"transport": "tcp", "protocol": "tls"}, **facts}


def event(**facts: Any) -> Document:
    """A pod that was killed."""
    return {
        "@timestamp": _TIME,
        "event": {"dataset": "conntrail.event", "action": "BackOff"},
        "kubernetes": {
            "namespace": "shop",
            "pod": {"name": "web-1"},
            "workload": {"kind": "Deployment", "name": "web"},
        },
        "message": "Back-off restarting failed container",
        "related": {"workloads": ["shop/web"]},
        **facts,
    }


def audit(**facts: Any) -> Document:
    """Somebody created a policy."""
    return {
        "@timestamp": _TIME,
        "event": {"dataset": "conntrail.audit", "action": "create", "outcome": "success"},
        "user": {"name": "alice"},
        "kubernetes": {"namespace": "shop"},
        "orchestrator": {"resource": {"type": "networkpolicy", "name": "deny-all"}},
        "related": {"workloads": ["shop/api", "shop/web"]},
        "http": {"response": {"status_code": 201}},
        **facts,
    }
