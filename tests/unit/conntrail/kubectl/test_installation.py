from typing import Any

import pytest

from conntrail.kubectl.alert.listing import event_data, line_of, row_of
from conntrail.kubectl.errors import KubectlError
from conntrail.kubectl.installation import (
    Target,
    account_of,
    agent_settings,
    choose_api,
    choose_installation,
    target_of,
    wanted_resources,
)


def _settings(namespace: str, **data: str) -> dict[str, Any]:
    return {"metadata": {"namespace": namespace}, "data": {f"CONNTRAIL_{name}": value for name, value in data.items()}}


def _worker(name: str, address: str, phase: str = "Running", **more: str) -> dict[str, Any]:
    environment = {"CONNTRAIL_API__ADDRESS": address, **more}
    containers = [{"env": [{"name": key, "value": value} for key, value in environment.items()]}]
    return {
        "metadata": {"namespace": "own", "name": name},
        "spec": {"containers": containers},
        "status": {"phase": phase},
    }


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("http://elasticsearch:9200", Target("own", "service/elasticsearch", 9200)),
        ("https://es-http.elastic:9200", Target("elastic", "service/es-http", 9200, "https")),
        ("https://es-http.elastic.svc", Target("elastic", "service/es-http", 443, "https")),
        ("http://es.elastic.svc.cluster.local:9200", Target("elastic", "service/es", 9200)),
        ("https://search.example.com:9243", None),
        ("http://10.0.0.7:9200", None),
        ("http://[fd00::1]:9200", None),
        ("http://:x", None),
    ],
)
def test_a_service_of_the_cluster_is_known_by_its_name(url: str, target: Target | None) -> None:
    assert target_of(url, "own") == target


def test_the_one_installation_gives_its_settings_and_its_elasticsearch() -> None:
    found = choose_installation(
        [
            _settings(
                "own",
                CLUSTER="prod",
                ELASTICSEARCH__HOSTS="http://es:9200",
                KAFKA__SASL_USERNAME="x",
                INDEX__KEEP_FLOW="3d",
            )
        ]
    )
    assert found.shared() == {"CONNTRAIL_CLUSTER": "prod", "CONNTRAIL_INDEX__KEEP_FLOW": "3d"}
    assert found.elasticsearch() == Target("own", "service/es", 9200)
    outside = "https://a.example.com:9200,https://b.example.com:9200"
    assert choose_installation([_settings("own", ELASTICSEARCH__HOSTS=outside)]).elasticsearch() == outside


def test_none_several_and_one_without_elasticsearch_are_told() -> None:
    with pytest.raises(KubectlError, match="no installation"):
        choose_installation([])
    with pytest.raises(KubectlError, match="installed in a, b: choose one by --installation"):
        choose_installation([_settings("b"), _settings("a")])
    with pytest.raises(KubectlError, match="has no Elasticsearch"):
        choose_installation([_settings("own")]).elasticsearch()


def test_objects_of_other_shapes_are_no_settings() -> None:
    assert choose_installation([{"metadata": [], "data": {"CONNTRAIL_CLUSTER": 7}}]).settings == {}


def test_the_api_is_that_of_a_running_worker() -> None:
    pods = [
        {"spec": {"containers": "none"}},
        _worker("index", ""),
        _worker("away", "127.0.0.1:9470", "Pending"),
        _worker("here", "127.0.0.1:9470"),
    ]
    assert choose_api(pods) == Target("own", "pod/here", 9470)
    encrypted = _worker("here", "0.0.0.0:9470", CONNTRAIL_API__CERTIFICATE="/c")
    assert choose_api([encrypted]) == Target("own", "pod/here", 9470, "https")
    with pytest.raises(KubectlError, match="CONNTRAIL_API__ADDRESS"):
        choose_api(pods[:3])


def test_alerts_are_told_without_letters_that_drive_a_terminal() -> None:
    alert = {"severity": "high", "status": "open", "rule": "r", "message": "a\x1b[2Jb", "id": "a1"}
    assert "\x1b" not in line_of(alert)
    assert row_of(alert)["id"] == "a1"
    assert list(event_data([b"id: 1\n", b"data: {}\n", b"\n", b": beat\n"])) == [b"{}"]


def test_the_cluster_agents_pod_tells_its_account_its_lease_and_whether_it_has_events() -> None:
    beginning = "CONNTRAIL_CLUSTER_AGENT__"
    environment: list[dict[str, Any]] = [
        {"name": f"{beginning}LEASE_NAMESPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}},
        {"name": f"{beginning}LEASE_NAME", "value": "obs-conntrail-cluster-agent"},
        {"name": f"{beginning}EVENTS", "value": "false"},
        {"name": "CONNTRAIL_KAFKA__SASL_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "a", "key": "b"}}},
    ]
    pod = {
        "metadata": {"namespace": "monitoring", "name": "a"},
        "spec": {"serviceAccountName": "obs", "containers": [{"env": environment}]},
    }
    assert account_of([pod, pod]) == "monitoring/obs"
    assert agent_settings([pod, pod]) == {
        f"{beginning}LEASE_NAMESPACE": "monitoring",
        f"{beginning}LEASE_NAME": "obs-conntrail-cluster-agent",
        f"{beginning}EVENTS": "false",
    }
    assert (account_of([{}]), agent_settings([{}])) == ("", {})


def test_policies_that_two_groups_serve_are_read_from_the_one_that_the_agent_follows() -> None:
    both = {"pods", "networkpolicies.crd.projectcalico.org", "networkpolicies.projectcalico.org"}
    assert wanted_resources(both) == ["pods", "networkpolicies.projectcalico.org"]
    assert wanted_resources(both - {"networkpolicies.projectcalico.org"}) == [
        "pods",
        "networkpolicies.crd.projectcalico.org",
    ]
