"""What objects of an installation tell: its settings, and where its Elasticsearch and API of alerts are. Pure."""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from agents.cluster.record.kind import KINDS
from agents.cluster.record.value import items, text
from conntrail.kubectl.errors import KubectlError

SETTINGS_LABELS: Final = "app.kubernetes.io/name=conntrail,app.kubernetes.io/component=settings"
"""Of the ConfigMap of an installation's settings, as the chart labels it."""
PART_LABELS: Final = "app.kubernetes.io/name=conntrail"
AGENT_LABELS: Final = "app.kubernetes.io/name=conntrail,app.kubernetes.io/component=cluster-agent"
_SHARED: Final = ("CONNTRAIL_CLUSTER", "CONNTRAIL_KAFKA__TOPIC_PREFIX", "CONNTRAIL_ELASTICSEARCH__NAMESPACE")
_INDEX: Final = "CONNTRAIL_INDEX__"
"""What templates are held against, and whether all flows are there."""
_AGENT: Final = "CONNTRAIL_CLUSTER_AGENT__"
_NAMESPACE_FIELD: Final = "metadata.namespace"
_HOSTS: Final = "CONNTRAIL_ELASTICSEARCH__HOSTS"
_API: Final = "CONNTRAIL_API__ADDRESS"
_SERVICE: Final = "svc"


@dataclass(frozen=True, slots=True)
class Target:
    """What a port-forward leads to."""

    namespace: str
    name: str
    """``service/NAME`` or ``pod/NAME``."""
    port: int
    scheme: str = "http"


@dataclass(frozen=True, slots=True)
class Installation:
    """One in a cluster."""

    namespace: str
    settings: Mapping[str, str]

    def shared(self) -> dict[str, str]:
        """Settings that commands of people need too."""
        return {name: value for name, value in self.settings.items() if name in _SHARED or name.startswith(_INDEX)}

    def elasticsearch(self) -> Target | str:
        """The Service to be forwarded, or the URLs of an Elasticsearch that is not in the cluster."""
        hosts = self.settings.get(_HOSTS, "")
        if not hosts:
            raise KubectlError(f"the installation in {self.namespace} has no Elasticsearch: there is no past to show")
        return target_of(hosts.split(",")[0].strip(), self.namespace) or hosts


def choose_installation(objects: Sequence[object]) -> Installation:
    """By the ConfigMaps of settings that were found. Raises KubectlError unless there is exactly one."""
    found = [Installation(text(one, "metadata", "namespace"), _data(one)) for one in objects]
    if len(found) == 1:
        return found[0]
    if not found:
        raise KubectlError(
            "no installation of Conntrail is in this cluster, or you may not see its ConfigMap: install the chart, or "
            "name its namespace by --installation"
        )
    names = ", ".join(sorted(one.namespace for one in found))
    raise KubectlError(f"Conntrail is installed in {names}: choose one by --installation")


def target_of(url: str, namespace: str) -> Target | None:
    """The Service that a URL means to pods of ``namespace``; None where it is no Service of the cluster.

    A Service is ``name``, ``name.namespace`` or ``name.namespace.svc…`` (Kubernetes DNS specification, 2.3).
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return None
    names = host.split(".")
    is_service = bool(host) and (len(names) <= 2 or names[2] == _SERVICE) and not names[0].isdecimal()  # noqa: PLR2004 - name and namespace
    if not is_service or ":" in host:
        return None
    own = names[1] if len(names) > 1 else namespace
    return Target(own, f"service/{names[0]}", port or (443 if parts.scheme == "https" else 80), parts.scheme)


def choose_api(pods: Iterable[object]) -> Target:
    """A running pod that serves the API of alerts, perhaps on loopback, which a port-forward reaches.

    Raises KubectlError.
    """
    for pod in pods:
        for port, has_certificate in _api_ports(pod):
            if text(pod, "status", "phase") == "Running":
                scheme = "https" if has_certificate else "http"
                return Target(text(pod, "metadata", "namespace"), f"pod/{text(pod, 'metadata', 'name')}", port, scheme)
    raise KubectlError(
        "no running worker serves the API of alerts: run the stage subscriptions with CONNTRAIL_API__ADDRESS"
    )


def account_of(pods: Iterable[object]) -> str:
    """``namespace/name`` of the service account of cluster agents; empty where none runs."""
    for pod in pods:
        name = text(pod, "spec", "serviceAccountName")
        if name:
            return f"{text(pod, 'metadata', 'namespace')}/{name}"
    return ""


def agent_settings(pods: Iterable[object]) -> dict[str, str]:
    """What cluster agents were told that decides which rights they need: their lease, and whether they have events."""
    found: dict[str, str] = {}
    for pod in pods:
        for container in items(pod, "spec", "containers"):
            for one in items(container, "env"):
                is_own = text(one, "valueFrom", "fieldRef", "fieldPath") == _NAMESPACE_FIELD
                value = text(pod, "metadata", "namespace") if is_own else text(one, "value")
                if value and text(one, "name").startswith(_AGENT):
                    found.setdefault(text(one, "name"), value)
    return found


def wanted_resources(served: Container[str]) -> list[str]:
    """``plural.group`` of the kinds that policies are read from, each where the cluster agent follows it too."""
    wanted = ((kind, _resource(kind.plural, kind.group)) for kind in KINDS)
    return [
        name
        for kind, name in wanted
        if name in served and not (kind.rather and _resource(kind.plural, kind.rather.partition("/")[0]) in served)
    ]


def _resource(plural: str, group: str) -> str:
    return f"{plural}.{group}" if group else plural


def _api_ports(pod: object) -> Iterator[tuple[int, bool]]:
    for container in items(pod, "spec", "containers"):
        environment = {text(one, "name"): text(one, "value") for one in items(container, "env")}
        port = environment.get(_API, "").rpartition(":")[2]
        if port.isdecimal() and int(port):
            yield int(port), "CONNTRAIL_API__CERTIFICATE" in environment


def _data(config_map: object) -> dict[str, str]:
    data = config_map.get("data") if isinstance(config_map, Mapping) else None
    pairs: Mapping[Any, Any] = data if isinstance(data, Mapping) else {}
    return {name: value for name, value in pairs.items() if isinstance(name, str) and isinstance(value, str)}
