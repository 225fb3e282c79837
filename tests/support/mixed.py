"""A lab with policies of every kind, whose connections were worked out by hand, and the evaluator's word on each."""

import json
from pathlib import Path
from typing import Any, Final

from conntrail.policy.manifest import Cluster, build_cluster
from conntrail.policy.query import parse_question
from conntrail.policy.reader import read_objects
from streams.policy.evaluate import evaluate
from streams.policy.trace import Trace

MANIFESTS: Final = Path(__file__).parents[1] / "system" / "mixed"
_PROTOCOLS: Final = {"icmp": "ICMP", "ipv6-icmp": "ICMPv6", "tcp": "TCP", "udp": "UDP"}


def cluster_of(directory: Path) -> Cluster:
    """What the lab shows to the cluster agent."""
    return build_cluster(read_objects([directory]))


def question_of(fact: dict[str, Any], cluster: Cluster) -> dict[str, Any]:
    """A connection of the truth as ``conntrail policy evaluate`` asks of it: where it led, not what was dialled."""
    client, servers = fact["client"], fact["servers"]
    version = 6 if fact["family"] == "ipv6" else 4
    destination: dict[str, str] = {"address": fact["dialled_address"]}
    port = fact["dialled_port"]
    if servers:
        destination = {"pod": servers[0]}
        port = _port_behind(fact)
    own = [a for a in cluster.pods[f"{client['namespace']}/{client['pod']}"].addresses if (":" in a) == (version == 6)]
    if servers:
        there = [a for a in cluster.pods[servers[0]].addresses if (":" in a) == (version == 6)]
        destination["address"] = there[0]
    return {
        "source": {"pod": f"{client['namespace']}/{client['pod']}", "address": own[0]},
        "destination": destination,
        "protocol": _PROTOCOLS[fact["protocol"]],
        "port": port,
    }


def evaluated(fact: dict[str, Any], cluster: Cluster) -> Trace:
    """What the policies say of a connection."""
    return evaluate(cluster.policies, parse_question(json.dumps(question_of(fact, cluster)), cluster))


def _port_behind(fact: dict[str, Any]) -> int:
    """Of the pods behind a service."""
    return {"data/db": 5432, "shop/pay": 8443}.get(fact["service"], int(fact["dialled_port"]))
