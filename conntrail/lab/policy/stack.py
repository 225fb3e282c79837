"""All policies of a cluster in the order in which a packet meets them.

Tiers ascend: those of the admin before NetworkPolicy, which stands in Calico's default tier, those of the baseline
behind; Calico's own lie between by their orders.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from conntrail.errors import CommandError
from conntrail.lab.cluster import Cluster, Object, Pod
from conntrail.lab.kind import ADMIN_KINDS, CALICO_KINDS, STAGED_KINDS, qualified_kind
from conntrail.lab.policy.admin import admin_policy
from conntrail.lab.policy.annotation import is_staged
from conntrail.lab.policy.calico import calico_policy
from conntrail.lab.policy.kubernetes import network_policy
from conntrail.lab.policy.value import Policy, Tier

_DEFAULT = "default"
Chosen = list[tuple[Tier, list[Policy]]]


@dataclass(frozen=True, slots=True)
class Stack:
    """Build it by ``policy_stack``."""

    policies: tuple[Policy, ...]

    def chosen(self, pod: Pod, direction: str) -> Chosen:
        """The tiers that speak of a pod in a direction, each with the policies that do."""
        found = [item for item in self.policies if pod.network_namespace in item.subjects and direction in item.rules]
        return [(tier, list(policies)) for tier, policies in groupby(found, key=lambda item: item.tier)]


def policy_stack(cluster: Cluster) -> Stack:
    """Raises CommandError when a policy is in a tier that is not there."""
    tiers = _tiers(cluster)
    policies = [network_policy(cluster, value, tiers[_DEFAULT]) for value in _enforced(cluster, "NetworkPolicy")]
    policies += [admin_policy(cluster, value) for kind in ADMIN_KINDS for value in _enforced(cluster, kind)]
    for kind in CALICO_KINDS:
        policies += [calico_policy(cluster, value, _tier(value, tiers)) for value in _enforced(cluster, kind)]
    for kind in STAGED_KINDS:
        for value in cluster.of_kind(kind):
            _tier(value, tiers)
    return Stack(tuple(sorted(policies, key=lambda item: (item.tier.order, item.tier.name, item.order, item.tie))))


def _enforced(cluster: Cluster, kind: str) -> Iterator[Object]:
    return (value for value in cluster.of_kind(kind) if not is_staged(value))


def _tiers(cluster: Cluster) -> dict[str, Tier]:
    found = {_DEFAULT: Tier(1_000_000.0, _DEFAULT, denies_at_end=True)}
    for value in cluster.of_kind("Tier"):
        name, spec = value["metadata"]["name"], value.get("spec", {})
        found[name] = Tier(
            float(spec.get("order", math.inf)), name, denies_at_end=spec.get("defaultAction", "Deny") == "Deny"
        )
    return found


def _tier(value: Object, tiers: dict[str, Tier]) -> Tier:
    name = value["spec"].get("tier", _DEFAULT)
    if name not in tiers:
        namespace = value["metadata"].get("namespace")
        title = f"{namespace}/{value['metadata']['name']}" if namespace else value["metadata"]["name"]
        raise CommandError(
            f"{qualified_kind(value['apiVersion'], value['kind'])} {title}: spec.tier: there is no Tier {name}"
        )
    return tiers[name]
