"""A lab with policies of every kind, whose connections were worked out by hand, and the evaluator's word on each."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any, Final

from conntrail.lab.main import Lab
from conntrail.lab.network.policy import chain_name
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


def remove_rule(lab: Lab, workload: str, direction: str, title: str) -> None:
    """Take one rule of a policy for a pod out of the kernel, of IPv4, behind the back of whoever put it there.

    ``title``: as the rule's comment has it.
    """
    pod = lab.pod(workload)
    nft = ["ip", "netns", "exec", pod.node.name, "nft"]
    listed = subprocess.run([*nft, "-ja", "list", "table", "inet", "lab"], check=True, capture_output=True).stdout
    rules = [item["rule"] for item in json.loads(listed)["nftables"] if "rule" in item]
    chains = re.compile(rf"{chain_name(pod, direction)}(_\d+)?")
    rule = next(
        rule
        for rule in rules
        if rule.get("comment") == title and chains.fullmatch(rule["chain"]) and '"ipv6"' not in json.dumps(rule["expr"])
    )
    subprocess.run([*nft, "delete", "rule", "inet", "lab", rule["chain"], "handle", str(rule["handle"])], check=True)
