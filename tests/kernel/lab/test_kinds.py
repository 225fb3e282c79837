"""Every kind of workload a user may bring: its pods are there, reach whom they may, and nothing is refused late."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from conntrail.lab.main import Lab
from tests.support.lab import (
    Fact,
    command,
    namespaces_left,
    programs_left,
    result_of,
    running_lab,
    traffic_of,
    traffic_until,
)

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
    pytest.mark.timeout(400),
]
MANIFESTS = """
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  replicas: 2
  selector: {matchLabels: {app: db}}
  template:
    metadata:
      labels: {app: db}
      annotations: {conntrail.io/lab-serve: "tcp:5432"}
    spec: {containers: [{name: db, ports: [{name: sql, containerPort: 5432}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: db}
spec: {selector: {app: db}, ports: [{port: 5432, targetPort: sql}]}
---
apiVersion: v1
kind: Service
metadata: {name: peers}
spec: {clusterIP: None, selector: {app: db}, ports: [{port: 5432}]}
---
{apiVersion: v1, kind: Service, metadata: {name: agent}, spec: {selector: {app: agent}, ports: [{port: 9100}]}}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent, creationTimestamp: null}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata:
      labels: {app: agent}
      annotations:
        conntrail.io/lab-serve: tcp:9100
        conntrail.io/lab-call: |
          [{"kind": "tcp", "to": "db", "port": 5432, "every": 0.4, "expect": "denied", "by": "default/db"},
           {"kind": "tcp", "to": "192.0.2.10", "port": 443, "every": 0.4}]
    spec: {hostNetwork: true, containers: [{name: agent, ports: [{containerPort: 9100}]}]}
---
apiVersion: v1
kind: ReplicationController
metadata: {name: old}
spec:
  replicas: 1
  selector: {app: client}
  template:
    metadata:
      labels: {app: client}
      annotations:
        conntrail.io/lab-call: |
          [{"kind": "tcp", "to": "db", "port": 5432, "every": 0.3},
           {"kind": "tcp6", "to": "peers", "port": 5432, "every": 0.4},
           {"kind": "tcp", "to": "agent", "port": 9100, "every": 0.4}]
    spec: {containers: [{name: app}]}
---
apiVersion: batch/v1
kind: Job
metadata: {name: migrate}
spec:
  template:
    metadata:
      labels: {app: client}
      annotations: {conntrail.io/lab-call: '[{"kind": "tcp", "to": "db.default.svc", "port": 5432, "bytes": 50}]'}
    spec: {restartPolicy: Never, containers: [{name: app}]}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: probe, annotations: {conntrail.io/lab-every: "2"}}
spec:
  schedule: "@hourly"
  jobTemplate:
    spec:
      template:
        metadata:
          labels: {app: probe}
          annotations: {conntrail.io/lab-call: '[{"kind": "tcp", "to": "db", "port": 5432, "expect": "denied"}]'}
        spec: {hostNetwork: false, restartPolicy: Never, containers: [{name: app}]}
---
{apiVersion: v1, kind: Pod, metadata: {name: idle}, spec: {containers: [{name: app}]}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: settings}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db}
spec:
  podSelector: {matchLabels: {app: db}}
  ingress: [{from: [{podSelector: {matchLabels: {app: client}}}], ports: [{port: sql}]}]
"""


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("given") / "cluster.yaml"
    path.write_text(MANIFESTS)
    return path


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, given: Path) -> Iterator[Lab]:
    with running_lab(tmp_path_factory.mktemp("lab"), given) as running:
        yield running


@pytest.fixture(scope="module")
def first_run(lab: Lab) -> list[Fact]:
    return traffic_of(lab, 8)


@pytest.fixture(scope="module")
def facts(lab: Lab, first_run: list[Fact]) -> list[Fact]:
    return traffic_until(lambda facts: len(of(facts, "probe")) >= 2, lab, 8, first_run)


def of(facts: list[Fact], workload: str, dialled_port: int = 5432) -> list[Fact]:
    return [f for f in facts if (f["client"]["workload"], f["dialled_port"]) == (workload, dialled_port)]


def outcomes(facts: list[Fact]) -> set[str]:
    return {fact["outcome"] for fact in facts}


def test_each_kind_has_its_pods(lab: Lab) -> None:
    workloads = [pod["workload"] for pod in lab.status()["pods"]]
    assert sorted(workloads) == [
        *["DaemonSet/agent"] * 2,
        "Pod/idle",
        "ReplicationController/old",
        *["StatefulSet/db"] * 2,
    ]


def test_pods_of_a_stateful_set_answer_by_service_and_by_name(facts: list[Fact]) -> None:
    found = of(facts, "old")
    assert outcomes(found) == {"answered"}
    assert {(f["family"], f["service"]) for f in found} == {("ipv4", "default/db"), ("ipv6", "")}
    assert {server for f in found for server in f["servers"]} == {"default/db-0", "default/db-1"}


def test_a_job_runs_once_and_may_what_its_labels_allow(first_run: list[Fact]) -> None:
    (fact,) = of(first_run, "migrate")
    assert fact["outcome"] == "answered"
    assert fact["client"]["pod"].startswith("migrate-")


def test_a_cron_job_runs_again_and_again_and_is_denied(facts: list[Fact]) -> None:
    found = of(facts, "probe")
    assert len({fact["client"]["uid"] for fact in found}) == len(found) >= 2
    assert outcomes(found) == {"timeout"}


def test_the_hosts_network_is_its_nodes(lab: Lab, facts: list[Fact]) -> None:
    nodes = {pod["name"]: pod["addresses"][0] for pod in lab.status()["pods"] if pod["workload"] == "DaemonSet/agent"}
    found = of(facts, "agent", 443)
    assert outcomes(found) == {"answered"}
    assert {fact["client"]["pod"]: fact["source_address"] for fact in found} == nodes
    assert set(nodes.values()) == {"172.30.0.1", "172.30.0.2"}
    assert outcomes(of(facts, "old", 9100)) == {"answered"}


def test_what_ran_is_gone_and_what_stays_is_there(lab: Lab, facts: list[Fact]) -> None:
    ran = {f"default.{f['client']['pod']}" for f in facts if f["client"]["workload"] in ("migrate", "probe")}
    assert len(ran) >= 3
    assert not namespaces_left(ran)
    assert lab.execute("default/idle", ["true"]) == 0
    assert lab.execute("default/agent", ["true"]) == 0


def test_what_the_lab_leaves_out_is_told_once(lab: Lab, given: Path) -> None:
    lab.down()
    said: list[str] = []
    lab.up(given, said.append)
    assert said == ["left out, since the lab does not build these kinds: ConfigMap (1)"]


def run(directory: Path, *words: str) -> tuple[int, str, str]:
    return result_of(command(directory, *words))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("exec", "shop/nobody", "--", "true"), "conntrail: no pod is called shop/nobody: conntrail lab status lists"),
        (("up",), "conntrail: a lab is there already: conntrail lab down --state-dir"),
        (("apply", "/nowhere.yaml"), "conntrail: /nowhere.yaml: there is no such file or directory"),
    ],
)
def test_a_mistake_is_one_line_and_the_lab_lives(lab: Lab, words: tuple[str, ...], message: str) -> None:
    code, out, error = run(lab.layout.root, *words)
    assert (code, out) == (1, "")
    assert error.startswith(message)
    assert error.count("\n") == 1
    assert lab.execute("default/idle", ["true"]) == 0


def test_status_is_a_table_or_json(lab: Lab) -> None:
    code, out, _ = run(lab.layout.root, "status", "-o", "json")
    assert (code, yaml.safe_load(out)) == (0, lab.status())
    code, out, _ = run(lab.layout.root, "status")
    assert code == 0
    assert out.splitlines()[0].split() == ["NODE", "NAMESPACE", "NAME", "ADDRESSES"]
    assert len(out.splitlines()) == 1 + len(lab.status()["pods"])
    assert len(run(lab.layout.root, "status", "-o", "jsonl")[1].splitlines()) == len(lab.status()["pods"])
    assert run(lab.layout.root, "status", "-o", "yaml")[0] == 2


def test_taken_down_twice_says_so_and_is_no_fault(lab: Lab, given: Path) -> None:
    assert run(lab.layout.root, "down") == (0, "", "")
    code, _, error = run(lab.layout.root, "down")
    assert (code, error) == (0, f"no lab was there, in {lab.layout.root}\n")
    assert not programs_left(lab.layout.root)
    lab.up(given)
