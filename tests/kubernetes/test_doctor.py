"""``conntrail doctor cluster`` names each right that the cluster agent lacks, on a real API server."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agents.cluster.right import rights_of
from tests.kubernetes.conftest import RULES
from tests.support.kubernetes_api.server import ApiServer
from tests.support.pipeline import run_command

Account = Callable[[str, list[dict[str, Any]]], Path]
_HOME = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"}


def _look(kubeconfig: Path) -> tuple[int, list[dict[str, str]]]:
    done = run_command(_HOME, "doctor", "cluster", "--kubeconfig", str(kubeconfig), "-o", "json")
    assert not done.stderr, done.stderr
    return done.returncode, json.loads(done.stdout)


def _without(verb: str, resource: str) -> list[dict[str, Any]]:
    """The rules of the agent, one verb on one resource less."""
    rules: list[dict[str, Any]] = []
    for rule in RULES:
        others = [name for name in rule["resources"] if name != resource]
        rules += [{**rule, "resources": others}] if others else []
        if resource in rule["resources"]:
            rules.append({**rule, "resources": [resource], "verbs": [one for one in rule["verbs"] if one != verb]})
    return rules


def test_with_the_rights_of_the_list_all_is_ok(kubeconfig: Path) -> None:
    status, found = _look(kubeconfig)
    assert status == 0
    states = {finding["check"]: finding["state"] for finding in found}
    assert states == {"server": "ok", "access": "ok", "parts": "skipped", "clock": "ok"}
    # Kinds that this API server does not have are not asked for.
    served = [right for right in rights_of() if not right.api_version]
    assert f"all {sum(len(right.verbs) for right in served)} rights" in found[1]["found"]


def test_a_verb_that_is_taken_away_is_named(account: Account, topic_prefix: str, api_server: ApiServer) -> None:
    name = f"less-{topic_prefix.rstrip('.')}"
    kubeconfig = account(name, _without("watch", "networkpolicies"))
    status, found = _look(kubeconfig)
    assert status == 1
    [refused] = [finding for finding in found if finding["state"] == "missing"]
    assert refused["found"] == "no right to watch networkpolicies.networking.k8s.io"
    assert "NetworkPolicy" in refused["lost"]
    assert "verbs [watch] on resources [networkpolicies] of apiGroups [networking.k8s.io]" in refused["remedy"]
    path = f"/apis/rbac.authorization.k8s.io/v1/clusterroles/{name}"
    api_server.request("PATCH", path, {"rules": _without("update", "leases")}, "application/merge-patch+json")
    status, found = _look(kubeconfig)
    assert [finding["found"] for finding in found if finding["state"] == "missing"] == [
        "no right to update leases.coordination.k8s.io in namespace conntrail"
    ]


def test_a_right_to_the_one_lease_by_its_name_will_do(account: Account, topic_prefix: str) -> None:
    lease = "conntrail-cluster-agent"  # the setting's default
    rules = [rule for rule in RULES if rule["resources"] != ["leases"]]
    leases = {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"]}
    named = {**leases, "resourceNames": [lease], "verbs": ["get", "update"]}
    kubeconfig = account(f"named-{topic_prefix.rstrip('.')}", [*rules, named, {**leases, "verbs": ["create"]}])
    status, found = _look(kubeconfig)
    assert status == 0, found


def test_pods_of_ours_are_counted_by_version(api_server: ApiServer, kubeconfig: Path, topic_prefix: str) -> None:
    part_of = {"app.kubernetes.io/part-of": "conntrail"}
    beside = {**part_of, "app.kubernetes.io/name": "kafka"}
    own = {**part_of, "app.kubernetes.io/name": "conntrail", "app.kubernetes.io/version": "0.0.1"}
    path, spec = "/api/v1/namespaces/conntrail/pods", {"containers": [{"name": "main", "image": "x:1"}]}
    names = [f"{name}-{topic_prefix.rstrip('.')}" for name in ("part", "beside")]
    for name, labels in zip(names, (own, beside), strict=True):
        api_server.request("POST", path, {"metadata": {"name": name, "labels": labels}, "spec": spec})
    try:
        _, found = _look(kubeconfig)
    finally:
        for name in names:
            api_server.request("DELETE", f"{path}/{name}?gracePeriodSeconds=0")
    [parts] = [finding for finding in found if finding["check"] == "parts"]
    assert (parts["state"], parts["found"].partition(";")[0]) == ("degraded", "1 pods of 0.0.1")


def test_credentials_that_are_refused_are_one_line(api_server: ApiServer) -> None:
    status, found = _look(api_server.kubeconfig("stale"))
    assert (status, [finding["check"] for finding in found]) == (1, ["server"])
    assert "does not accept our credentials" in found[0]["found"]
