"""A policy as k8s.objects carries it (schemas/avro/kubernetes_object.avsc)."""

import json
from collections.abc import Mapping
from typing import Any

from streams.policy.compile import is_policy
from streams.policy.object import PolicyObject


def policy_of(record: Mapping[str, Any]) -> PolicyObject | None:
    """Read a KubernetesObject record; None when its kind is no policy. A spec that is no JSON is a policy's fault."""
    if not is_policy(record["api_version"], record["kind"]):
        return None
    return PolicyObject(
        api_version=record["api_version"],
        kind=record["kind"],
        namespace=record["namespace"],
        name=record["name"],
        uid=record["uid"],
        spec=_parse(record["spec_json"]),
        annotations=record["annotations"],
        generation=record["generation"],
        created_at_ns=record["created_at_ns"],
        observed_at_ns=record["observed_at_ns"],
        deleted_at_ns=record["deleted_at_ns"],
    )


def _parse(text: str) -> object:
    if not text:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
