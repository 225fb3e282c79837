"""Labels as Calico gives them to pods and sets of networks: their own, and those of what they belong to.

Names: docs.tigera.io, "Selectors" and projectcalico/calico, conversion of pods. ``pcns.`` and ``pcsa.`` stand before
the labels of the namespace and of the service account.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from streams.metadata.endpoint import Endpoint
from streams.policy.calico.expression import Obscurity, Value
from streams.policy.referent import NetworkSet, Referents

NAMESPACE: Final = "projectcalico.org/namespace"
ACCOUNT: Final = "projectcalico.org/serviceaccount"
NAMESPACE_PREFIX: Final = "pcns."
ACCOUNT_PREFIX: Final = "pcsa."
_ORCHESTRATOR: Final = "projectcalico.org/orchestrator"
_NAME: Final = "projectcalico.org/name"

Accounts = Mapping[tuple[str, str], Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class PodLabels:
    """Of a pod; unknown where they are its service account's and nobody has told them."""

    pod: Endpoint
    accounts: Accounts

    def value(self, key: str) -> Value:
        """Look one up; the pod's own labels go before inherited ones."""
        pod = self.pod
        if key == NAMESPACE:
            return pod.namespace
        if key == ACCOUNT:
            return pod.service_account or None
        if key == _ORCHESTRATOR:
            return "k8s"
        own = pod.labels.get(key)
        if own is not None:
            return own
        if key.startswith(NAMESPACE_PREFIX):
            name = key.removeprefix(NAMESPACE_PREFIX)
            return pod.namespace if name == _NAME else pod.namespace_labels.get(name)
        if key.startswith(ACCOUNT_PREFIX):
            return self._of_account(key.removeprefix(ACCOUNT_PREFIX))
        return None

    def _of_account(self, name: str) -> Value:
        account = self.pod.service_account
        if not account:
            return None
        if name == _NAME:
            return account
        labels = self.accounts.get((self.pod.namespace, account))
        return Obscurity.UNKNOWN if labels is None else labels.get(name)


@dataclass(frozen=True, slots=True)
class SetLabels:
    """Of a set of networks; unknown where they are its namespace's and nobody has told them."""

    network_set: NetworkSet
    referents: Referents

    def value(self, key: str) -> Value:
        """Look one up."""
        namespace = self.network_set.namespace
        if key == NAMESPACE:
            return namespace or None
        own = self.network_set.labels.get(key)
        if own is not None or not namespace or not key.startswith(NAMESPACE_PREFIX):
            return own
        name = key.removeprefix(NAMESPACE_PREFIX)
        if name == _NAME:
            return namespace
        labels = self.referents.namespaces.get(namespace)
        return Obscurity.UNKNOWN if labels is None else labels.get(name)
