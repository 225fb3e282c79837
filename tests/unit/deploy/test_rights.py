"""Nothing may do more than it does."""

from pathlib import Path
from typing import Any

from agents.cluster.right import rights_of
from agents.node.capability.right import RIGHTS
from tests.support.chart import Manifest, named, of_kind, pods, render


def _granted(role: Manifest) -> set[tuple[str, str, str]]:
    return {
        (group, resource, verb)
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def test_the_cluster_agent_may_list_and_watch_exactly_what_it_publishes(plain: list[Manifest]) -> None:
    role = named(plain, "ClusterRole", "conntrail-cluster-agent")
    wanted = {(right.group, right.resource, verb) for right in rights_of(None) for verb in right.verbs}
    assert _granted(role) == wanted


def test_the_right_to_events_comes_with_what_needs_it(helm: Path) -> None:
    without = named(render(helm, {"clusterAgent": {"events": False}}), "ClusterRole", "conntrail-cluster-agent")
    assert not {found for found in _granted(without) if found[1] == "events"}
    told = named(render(helm, {"clusterAgent": {"alertEvents": True}}), "ClusterRole", "conntrail-cluster-agent")
    assert ("", "events", "create") in _granted(told)


def test_only_the_cluster_agent_has_rights_and_a_token(plain: list[Manifest]) -> None:
    bound = [
        subject["name"]
        for kind in ("RoleBinding", "ClusterRoleBinding")
        for binding in of_kind(plain, kind)
        for subject in binding["subjects"]
    ]
    assert set(bound) == {"conntrail-cluster-agent"}
    assert [name for name, pod in pods(plain) if pod["spec"]["automountServiceAccountToken"]] == [
        "conntrail-cluster-agent"
    ]


def test_the_agent_has_named_capabilities_and_no_privilege(plain: list[Manifest]) -> None:
    pod, security = _agent(plain)
    assert security["capabilities"] == {"drop": ["ALL"], "add": [right.name for right in RIGHTS]}
    assert security["privileged"] is security["allowPrivilegeEscalation"] is False
    assert security["readOnlyRootFilesystem"] is True
    assert security["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["hostNetwork"] is pod["hostPID"] is True


def test_an_agent_that_stays_out_of_pods_has_one_capability(helm: Path) -> None:
    pod, security = _agent(render(helm, {"agent": {"podNamespaces": False}}))
    assert security["capabilities"]["add"] == ["NET_ADMIN"]
    assert pod["hostPID"] is False


def _agent(manifests: list[Manifest]) -> tuple[dict[str, Any], dict[str, Any]]:
    pod = named(manifests, "DaemonSet", "conntrail-agent")["spec"]["template"]["spec"]
    return pod, pod["containers"][0]["securityContext"]
