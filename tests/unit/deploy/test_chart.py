"""What the chart asks for, and what it installs with nothing but two addresses."""

import json
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from runtime.settings import load_settings
from streams.main import STAGES
from tests.support.chart import NEEDED, Manifest, environment, merged, named, of_kind, pods, render, template

SECURE: dict[str, Any] = {
    "kafka": {
        "securityProtocol": "SASL_SSL",
        "ca": {"existingSecret": "kafka-ca"},
        "users": {
            user: {"existingSecret": f"kafka-{user.lower()}"} for user in ("agent", "clusterAgent", "worker", "setup")
        },
    },
    "elasticsearch": {
        "hosts": "https://elasticsearch.elastic:9243",
        "ca": {"existingSecret": "elasticsearch-ca"},
        "apiKeys": {"worker": {"existingSecret": "key-worker"}, "setup": {"existingSecret": "key-setup"}},
    },
    "kibana": {"url": "https://kibana", "apiKey": {"existingSecret": "key-kibana"}, "ca": {"existingSecret": "ca"}},
    "api": {"existingSecret": "api-token"},
    "status": {"existingSecret": "metrics"},
    "monitoring": {"podMonitor": {"enabled": True}},
    "alerts": {"receivers": {"existingSecret": "receivers"}},
    "audit": {"existingSecret": "audit", "clusterIP": "10.96.0.200"},
    "settings": {"AGENT__PATHS": "hash", "SCHEMA_REGISTRY__URL": "https://registry"},
    "secretSettings": {
        "AGENT__HASH_KEY": {"existingSecret": "hashes", "key": "key"},
        "SCHEMA_REGISTRY__PASSWORD": {"existingSecret": "registry", "key": "password"},
    },
}
SCALED: dict[str, Any] = {
    "workers": {name: {"autoscaling": {"enabled": True}} for name in ("enrich", "index")},
    "monitoring": {"podMonitor": {"enabled": True}, "rules": {"enabled": True}},
}


@pytest.mark.parametrize("values", [{}, SECURE, SCALED], ids=["plain", "secure", "scaled"])
def test_every_setting_of_every_pod_is_one_that_the_processes_know(helm: Path, values: dict[str, Any]) -> None:
    manifests = render(helm, values)
    told = {name: environment(manifests, pod) for name, pod in pods(manifests)}
    assert len(told) == 6
    for settings in told.values():
        assert load_settings(settings, {}).kafka.bootstrap_servers == "kafka.kafka:9092"


@pytest.mark.parametrize("missing", ["kafka", "elasticsearch"])
def test_a_missing_address_is_named(helm: Path, missing: str) -> None:
    done = template(helm, {name: value for name, value in NEEDED.items() if name != missing})
    assert done.returncode != 0
    assert f"/{missing}" in done.stderr or missing in done.stderr


def test_a_misspelt_value_is_refused(helm: Path) -> None:
    done = template(helm, merged(NEEDED, {"kafka": {"topicPrefx": "x."}}))
    assert done.returncode != 0
    assert "topicPrefx" in done.stderr


def test_secrets_are_refused_as_settings(helm: Path) -> None:
    done = template(helm, merged(NEEDED, {"settings": {"KAFKA__SASL_PASSWORD": "secret"}}))
    assert done.returncode != 0
    assert "KAFKA__SASL_PASSWORD" in done.stderr


def test_numbers_of_a_values_file_reach_the_processes_as_they_stand(helm: Path) -> None:
    values = {"settings": {"AGENT__SPOOL_DISK": 2_000_000_000, "WORKER__REFUSAL_SHARE": 0.5, "AUDIT__READS": True}}
    manifests = render(helm, values)
    told = environment(manifests, dict(pods(manifests))["conntrail-agent"])
    assert told["CONNTRAIL_AGENT__SPOOL_DISK"] == "2000000000"
    assert told["CONNTRAIL_WORKER__REFUSAL_SHARE"] == "0.5"
    assert told["CONNTRAIL_AUDIT__READS"] == "true"


def test_a_kafka_that_asks_for_names_needs_a_secret_for_each_part(helm: Path) -> None:
    done = template(helm, merged(NEEDED, {"kafka": {"securityProtocol": "SASL_SSL"}}))
    assert done.returncode != 0
    assert "existingSecret is needed with SASL_SSL" in done.stderr


def test_no_secret_is_written_and_each_part_reads_its_own(helm: Path) -> None:
    manifests = render(helm, SECURE)
    assert not of_kind(manifests, "Secret")
    read = {
        name: {
            entry["valueFrom"]["secretKeyRef"]["name"]
            for entry in pod["spec"]["containers"][0].get("env", [])
            if "secretKeyRef" in entry.get("valueFrom", {})
        }
        for name, pod in pods(manifests)
    }
    assert read == {
        "conntrail-agent": {"kafka-agent", "metrics", "registry", "hashes"},
        "conntrail-cluster-agent": {"kafka-clusteragent", "metrics", "registry", "audit"},
        "conntrail-worker-enrich": {"kafka-worker", "key-worker", "metrics", "registry"},
        "conntrail-worker-index": {"kafka-worker", "key-worker", "metrics", "registry"},
        "conntrail-worker-alerts": {"kafka-worker", "key-worker", "metrics", "registry", "api-token"},
        "conntrail-setup": {"kafka-setup", "key-setup", "key-kibana", "registry"},
    }


def test_api_servers_reach_the_audit_webhook_by_a_service_and_its_certificate(helm: Path) -> None:
    manifests = render(helm, SECURE)
    service = named(manifests, "Service", "conntrail-audit")["spec"]
    assert (service["clusterIP"], service["ports"][0]["port"]) == ("10.96.0.200", 8443)
    pod = dict(pods(manifests))["conntrail-cluster-agent"]
    assert service["selector"].items() <= pod["metadata"]["labels"].items()
    container = pod["spec"]["containers"][0]
    audit = load_settings(environment(manifests, pod), {}).audit
    assert {"name": "audit", "containerPort": int(audit.address.rpartition(":")[2])} in container["ports"]
    mounted = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    (files,) = [volume["secret"] for volume in pod["spec"]["volumes"] if volume["name"] == "audit"]
    assert {f"{mounted['audit']}/{item['path']}" for item in files["items"]} == {audit.certificate, audit.key}
    ingress = named(manifests, "NetworkPolicy", "conntrail-cluster-agent")["spec"]["ingress"]
    assert {"ports": [{"protocol": "TCP", "port": "audit"}]} in ingress


def test_without_a_secret_there_is_no_audit_webhook(plain: list[Manifest]) -> None:
    assert "audit" not in json.dumps(plain).lower()


def test_each_stage_runs_in_one_group_of_workers(plain: list[Manifest]) -> None:
    groups = [one["spec"]["template"]["spec"]["containers"][0]["args"] for one in of_kind(plain, "StatefulSet")]
    assert sorted(chain.from_iterable(groups)) == sorted(STAGES)


def test_every_pod_off_the_nodes_network_has_a_policy_and_a_budget(plain: list[Manifest]) -> None:
    labels = {name: pod["metadata"]["labels"] for name, pod in pods(plain) if not pod["spec"].get("hostNetwork")}
    del labels["conntrail-setup"]  # it is gone when the others come
    for kind, where in (("NetworkPolicy", "podSelector"), ("PodDisruptionBudget", "selector")):
        selected = [
            name
            for manifest in of_kind(plain, kind)
            for name, found in labels.items()
            if manifest["spec"][where]["matchLabels"].items() <= found.items()
        ]
        assert sorted(selected) == sorted(labels), kind


def test_workers_reach_the_ports_of_their_addresses(helm: Path) -> None:
    values = {
        "kafka": {"bootstrapServers": "one.kafka:9093, two.kafka:9193"},
        "elasticsearch": {"hosts": "https://es.example,http://[fd00::1]:9200"},
    }
    policy = named(render(helm, values), "NetworkPolicy", "conntrail-worker-index")
    ports = {entry["port"] for rule in policy["spec"]["egress"] for entry in rule["ports"]}
    assert ports == {53, 9093, 9193, 443, 9200}


@pytest.mark.parametrize("is_hook", [True, False], ids=["hook", "ordinary"])
def test_a_setup_that_failed_leaves_its_log(helm: Path, is_hook: bool) -> None:
    job = named(render(helm, {"setup": {"hook": is_hook}}), "Job", "conntrail-setup")["spec"]
    assert job["template"]["spec"]["restartPolicy"] == "Never"
    assert ("ttlSecondsAfterFinished" in job) == (not is_hook)


def test_a_setup_beside_kafka_waits_for_it_longer_than_images_take(helm: Path) -> None:
    job = named(render(helm, {"setup": {"hook": False}}), "Job", "conntrail-setup")["spec"]
    waits = [min(10 * 2**attempt, 360) for attempt in range(job["backoffLimit"])]  # the Job controller's, in seconds
    assert sum(waits) > 2 * 3600


def test_two_releases_share_no_name_but_the_priority_class(helm: Path, plain: list[Manifest]) -> None:
    other = render(helm, {}, release="second")
    names = [{(one["kind"], one["metadata"]["name"]) for one in manifests} for manifests in (plain, other)]
    assert names[0] & names[1] == {("PriorityClass", "conntrail-node")}


def test_the_name_of_a_release_that_would_make_two_parts_one_is_refused(helm: Path) -> None:
    done = template(helm, NEEDED, release="a" * 34)
    assert done.returncode != 0
    assert "choose a shorter one for the release" in done.stderr
    longest = render(helm, {}, release="a" * 28)
    names = [(one["kind"], one["metadata"]["name"]) for one in longest]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("missing", ["minReplicas", "maxReplicas", "metric", "target"])
def test_a_group_that_is_scaled_says_all_of_how(helm: Path, missing: str) -> None:
    scaling = {"enabled": True, "minReplicas": 1, "maxReplicas": 2, "metric": "lag", "target": "9"}
    group = {"stages": ["index"], "replicas": 1, "resources": {}, "autoscaling": scaling}
    assert template(helm, merged(NEEDED, {"workers": {"second": group}})).returncode == 0
    del scaling[missing]
    done = template(helm, merged(NEEDED, {"workers": {"second": group}}))
    assert done.returncode != 0
    assert missing in done.stderr


def test_a_group_whose_stages_share_no_partitions_is_not_scaled(helm: Path) -> None:
    scaling = {"enabled": True, "minReplicas": 1, "maxReplicas": 2, "metric": "lag", "target": "9"}
    done = template(helm, merged(NEEDED, {"workers": {"alerts": {"autoscaling": scaling}}}))
    assert done.returncode != 0
    assert "workers.alerts.autoscaling: more replicas of alerts, subscriptions, deliveries share no work" in done.stderr


def test_an_image_can_be_pinned_by_its_digest(helm: Path) -> None:
    digest = "sha256:" + "0" * 64
    agent = named(render(helm, {"images": {"digests": {"node": digest}}}), "DaemonSet", "conntrail-agent")
    assert agent["spec"]["template"]["spec"]["containers"][0]["image"] == f"ghcr.io/conntrail/conntrail-node@{digest}"


def test_consumer_lag_scales_the_groups_that_share_partitions(helm: Path) -> None:
    scalers = of_kind(render(helm, SCALED), "HorizontalPodAutoscaler")
    watched = {
        metric["external"]["metric"]["selector"]["matchLabels"]["consumergroup"]
        for scaler in scalers
        for metric in scaler["spec"]["metrics"]
    }
    assert watched == {f"conntrail.worker-{stage}" for stage in ("flows", "exchanges", "denials", "index")}
    scaled = {scaler["spec"]["scaleTargetRef"]["name"] for scaler in scalers}
    for manifest in of_kind(render(helm, SCALED), "StatefulSet"):
        assert ("replicas" in manifest["spec"]) == (manifest["metadata"]["name"] not in scaled)
