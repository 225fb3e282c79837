"""A policy, or what policies refer to, as k8s.objects carries it (schemas/avro/kubernetes_object.avsc)."""

import json
from collections.abc import Mapping
from typing import Any

from streams.policy.compile import is_policy, is_referent
from streams.policy.object import PolicyObject


def policy_of(record: Mapping[str, Any]) -> PolicyObject | None:
    """Read a KubernetesObject record; None when its kind is neither. A spec that is no JSON is a policy's fault.

    EndpointSlices are left out: they change too often to be kept in every state.
    """
    version, kind = record["api_version"], record["kind"]
    if kind == "EndpointSlice" or not (is_policy(version, kind) or is_referent(version, kind)):
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
        labels=record["labels"],
    )


def _parse(text: str) -> object:
    if not text:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
