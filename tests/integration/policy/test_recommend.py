"""`conntrail policy recommend` on the cluster that the topic tells of, and on history from either source."""

import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from conntrail.policy.command import app
from conntrail.policy.history.period import instant_text
from runtime.settings import Settings
from schemas.topic import FLOWS, WINDOWS
from tests.integration.policy.written import new_settings, replica_set, set_environment, write, write_objects
from tests.support.history import AT_MS, Record, inside, node, seen_flow, seen_window
from tests.support.stack import RunningStack
from tests.unit.conntrail.policy.cluster.builders import NOW_NS, manifest, pod, policy
from tests.unit.conntrail.policy.cluster.builders import node as node_object

SPAN = ("--since", instant_text(AT_MS - 3_600_000), "--until", instant_text(AT_MS + 3_600_000))
OBJECTS = (
    manifest("Namespace", "shop", namespace=""),
    manifest("Namespace", "empty", namespace=""),
    node_object("node1", "192.0.2.1"),
    pod("web-1", "10.0.0.1"),
    pod("api-1", "10.0.0.2"),
    pod("db-1", "10.0.0.3"),
    policy("db", {"podSelector": {"matchLabels": {"app": "db"}}, "policyTypes": ["Ingress"]}),
)
GONE = {"app.kubernetes.io/name": "nightly", "job-name": "nightly-1"}


def cron_job(pod_name: str = "") -> Record:
    return {**inside("nightly", pod_name, labels=GONE), "workload": {"kind": "CronJob", "name": "nightly"}}


@pytest.fixture
def settings(stack: RunningStack, topic_prefix: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A cluster with traffic: web and a job at night use api, web is denied db, a node looks after web."""
    made = new_settings(stack, topic_prefix)
    set_environment(monkeypatch, made)
    write_objects(made, OBJECTS, NOW_NS)
    web, api, db = (replica_set(name) for name in ("web", "api", "db"))
    api1 = (replica_set("api", "api-1"), "10.0.0.2")
    cluster = made.cluster
    write(
        made,
        [
            (WINDOWS, seen_window("w1", web, api, 8080, cluster=cluster, started=5)),
            (WINDOWS, seen_window("w2", web, db, 5432, cluster=cluster, action="denied", started=2)),
            (WINDOWS, seen_window("w3", web, "203.0.113.9", 443, cluster=cluster, started=4)),
            (WINDOWS, seen_window("w4", node("node1"), web, 8080, cluster=cluster)),
            (WINDOWS, seen_window("w5", cron_job(), api, 9090, cluster=cluster)),
            (FLOWS, seen_flow("f1", (replica_set("web", "web-1"), "10.0.0.1"), api1, 8080, cluster=cluster)),
            (FLOWS, seen_flow("f2", (cron_job("nightly-1-x"), "10.0.0.9"), api1, 9090, cluster=cluster)),
        ],
    )  # fmt: skip
    return made


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, *SPAN])


@pytest.mark.usefixtures("settings")
def test_both_sources_recommend_the_same_and_a_preview_finds_nothing_broken(tmp_path: Path) -> None:
    one, other = (run("recommend", "--source", source) for source in ("elasticsearch", "kafka"))
    assert one.exit_code == other.exit_code == 0, one.stderr
    policies, others = (list(yaml.safe_load_all(result.stdout)) for result in (one, other))
    assert policies == others
    found = {item["metadata"]["name"]: item["spec"] for item in policies}
    assert set(found) == {"conntrail-api", "conntrail-nightly", "conntrail-web"}
    assert found["conntrail-nightly"]["podSelector"] == {"matchLabels": {"app.kubernetes.io/name": "nightly"}}
    assert "5432" not in one.stdout.replace("TCP 5432 (2 connections)", "")
    assert "not allowed, for it was denied: shop/web to shop/db TCP 5432 (2 connections)" in one.stderr
    (tmp_path / "set.yaml").write_text(one.stdout)
    assert run("preview", "-f", str(tmp_path / "set.yaml")).exit_code == 0


@pytest.mark.usefixtures("settings")
def test_json_is_a_list_for_kubectl_and_jsonl_an_object_a_line() -> None:
    found = json.loads(run("recommend", "-n", "shop", "-o", "json").stdout)
    assert (found["kind"], found["apiVersion"]) == ("List", "v1")
    lines = [json.loads(line) for line in run("recommend", "-n", "shop", "-o", "jsonl").stdout.splitlines()]
    assert lines == found["items"]
    calico = run("recommend", "--kind", "CalicoNetworkPolicy", "--staged")
    assert {item["kind"] for item in yaml.safe_load_all(calico.stdout)} == {"StagedNetworkPolicy"}


@pytest.mark.usefixtures("settings")
def test_what_cannot_be_recommended_is_one_clear_line(settings: Settings) -> None:
    assert run("recommend", "--kind", "CiliumNetworkPolicy", "--staged").exit_code == 2
    nowhere = run("recommend", "-n", "nowhere")
    assert (nowhere.exit_code, nowhere.stderr) == (1, "conntrail policy: the cluster has no namespace nowhere\n")
    silent = run("recommend", "-n", "empty")
    assert silent.exit_code == 1
    assert silent.stderr.endswith("conntrail policy: nothing was seen there that could be allowed: "
                                  "ask for more time by --since\n")  # fmt: skip
    lost = seen_window("w9", inside("forgotten"), replica_set("api"), 8080, cluster=settings.cluster)
    write(settings, [(WINDOWS, lost)])
    refused = run("recommend")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "shop/forgotten to shop/api TCP 8080 (1 connections): one end is gone" in refused.stderr
    assert "1 records cannot be replayed, so nothing is proven" in refused.stderr
    left = run("recommend", "--skip-unprovable")
    assert left.exit_code == 0
    assert "# WARNING: left out, for nobody can replay it: shop/forgotten to shop/api TCP 8080" in left.stdout
