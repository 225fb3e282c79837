"""Short ways to write pods, policies and matched rows."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from streams.metadata.endpoint import ContainerPort, Endpoint
from streams.policy.compile import compile_policy
from streams.policy.judge import MATCHED
from streams.policy.network import parse_address
from streams.policy.object import PolicyObject
from streams.policy.policy_set import PolicySet, policy_set
from streams.policy.question import End, Question
from streams.policy.timeline import PolicyTimeline

SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND


def pod(name: str, namespace: str = "shop", *, address: str = "10.0.0.1", **more: Any) -> Endpoint:
    labels = more.pop("labels", {"app": name})
    namespace_labels = more.pop("namespace_labels", {"kubernetes.io/metadata.name": namespace})
    return Endpoint(
        kind="pod",
        name=name,
        uid=f"uid-{namespace}-{name}",
        namespace=namespace,
        labels=labels,
        namespace_labels=namespace_labels,
        addresses=(address,),
        **more,
    )


def port(name: str, number: int, protocol: str = "TCP") -> ContainerPort:
    return ContainerPort(name, protocol, number)


def policy_object(spec: Any, name: str = "p", namespace: str = "shop", **more: Any) -> PolicyObject:
    more.setdefault("observed_at_ns", START - 3600 * SECOND)
    return PolicyObject("networking.k8s.io/v1", "NetworkPolicy", namespace, name, f"uid-{name}", spec, **more)


def policies(*objects: PolicyObject) -> PolicySet:
    return policy_set(compile_policy(item) for item in objects)


def timeline(*objects: PolicyObject) -> PolicyTimeline:
    result = PolicyTimeline()
    for item in objects:
        result.apply(item)
    return result


def end(who: Endpoint | str) -> End:
    if isinstance(who, str):
        return End(None, parse_address(who))
    return End(who, parse_address(who.addresses[0]) if who.addresses else None)


def question(source: Endpoint | str, destination: Endpoint | str, number: int = 80, protocol: str = "TCP") -> Question:
    return Question(end(source), end(destination), protocol, number)


@dataclass(frozen=True)
class Endpoints:
    """What judge asks of the directory."""

    endpoints: Sequence[Endpoint] = field(default_factory=list)


def matched(*rows: dict[str, Any], **extra: Any) -> pl.DataFrame:
    """Rows of the matcher: a confirmed, answered, living TCP connection from endpoint 0 to endpoint 1 by default."""
    defaults: dict[str, Any] = {
        "source_index": 0,
        "destination_index": 1,
        "source_address": "10.0.0.1",
        "destination_address": "10.0.0.2",
        "protocol": 6,
        "destination_port": 80,
        "started_at_ns": START,
        "is_attempt": False,
        "seen_reply": True,
        "is_final": False,
        "end_reason": "active",
        "evidence": ["confirmed"],
        "is_first": True,
        "seen_at_ns": START + SECOND,
        "source_bytes": 100,
        "destination_bytes": 50,
        "source_packets": 2,
        "destination_packets": 1,
        "service_index": None,
        "dialled_address": None,
    }
    schema = {
        **MATCHED,
        "is_first": pl.Boolean(),
        "service_index": pl.UInt32(),
        "dialled_address": pl.String(),
    }
    counts = ("seen_at_ns", "source_bytes", "destination_bytes", "source_packets", "destination_packets")
    schema |= dict.fromkeys(counts, pl.Int64())
    return pl.DataFrame([{**defaults, **extra, **row} for row in rows], schema=schema)
