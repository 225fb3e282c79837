"""Which pods workloads ask for, and which of a running cluster's objects make none."""

import pytest

from conntrail.lab.cluster import CALL, Cluster, Pod
from conntrail.lab.job import jobs, next_run
from conntrail.lab.place import build_cluster
from conntrail.lab.show import shown
from tests.unit.conntrail.lab.builders import (
    AT,
    Object,
    an_object,
    built,
    check,
    cron_job,
    job,
    owned,
    pod_spec,
    pods,
    workload,
)

CALLS = {CALL: '[{"kind": "tcp", "to": "192.0.2.10", "port": 1}]'}
COMPLETE = {"conditions": [{"type": "Complete", "status": "True"}]}


def chain(pod: Pod) -> list[str]:
    return [owner.kind for owner in pod.owners]


def test_a_deployments_pods_are_of_its_replica_set_and_carry_its_hash() -> None:
    first, second = pods(workload("Deployment", "front", 2))
    assert chain(first) == ["ReplicaSet", "Deployment"]
    replica_set = first.owners[0].name
    assert replica_set.startswith("front-")
    assert first.name.startswith(f"{replica_set}-")
    assert first.labels == {"app": "a", "pod-template-hash": replica_set.removeprefix("front-")}
    assert first.name != second.name


def test_a_stateful_sets_pods_are_numbered() -> None:
    value = workload("StatefulSet", "db", 2)
    value["spec"]["ordinals"] = {"start": 5}
    first, second = pods(value)
    assert (first.name, second.name) == ("db-5", "db-6")
    assert chain(first) == ["StatefulSet"]
    assert first.labels["statefulset.kubernetes.io/pod-name"] == "db-5"
    assert first.labels["apps.kubernetes.io/pod-index"] == "5"
    assert first.labels["controller-revision-hash"].startswith("db-")


def test_a_daemon_set_has_a_pod_on_every_node() -> None:
    nodes = [an_object("Node", f"n{number}") for number in range(3)]
    found = pods(*nodes, workload("DaemonSet", "each", None))
    assert [pod.node.name for pod in found] == ["n0", "n1", "n2"]
    assert len({pod.name for pod in found}) == 3
    assert chain(found[0]) == ["DaemonSet"]
    assert found[0].labels["pod-template-generation"] == "1"
    assert "controller-revision-hash" in found[0].labels


@pytest.mark.parametrize("kind", ["ReplicaSet", "ReplicationController"])
def test_what_keeps_replicas_without_a_deployment_owns_them_itself(kind: str) -> None:
    found = pods(workload(kind, "old", 2))
    assert [pod.workload for pod in found] == [(kind, "old")] * 2
    assert found[0].labels == {"app": "a"}


def test_a_job_that_calls_nobody_keeps_its_pods() -> None:
    found = pods(job("once", parallelism=3, completions=2))
    assert [chain(pod) for pod in found] == [["Job"]] * 2
    assert found[0].labels["batch.kubernetes.io/job-name"] == found[0].labels["job-name"] == "once"
    uid = found[0].labels["batch.kubernetes.io/controller-uid"]
    (shown_job,) = [value for value in shown(built(job("once"))) if value["kind"] == "Job"]
    assert shown_job["metadata"]["uid"] == uid == found[0].labels["controller-uid"]


def test_a_cron_jobs_pod_is_of_a_job_of_its_own() -> None:
    (pod,) = pods(cron_job("often"))
    assert chain(pod) == ["Job", "CronJob"]
    assert pod.owners[0].name == pod.labels["job-name"]
    assert pod.owners[0].name.startswith("often-")
    assert pod.workload == ("CronJob", "often")


def test_jobs_that_call_somebody_wait_for_traffic() -> None:
    assert not pods(job("once", CALLS), cron_job("often", CALLS))


@pytest.mark.parametrize(
    "value",
    [
        {**job("once"), "status": COMPLETE},
        job("once", suspend=True),
        job("once", parallelism=0),
        {**an_object("Pod", "done", pod_spec()), "status": {"phase": "Succeeded"}},
        workload("Deployment", "none", 0),
    ],
)
def test_what_has_ended_or_is_suspended_asks_for_no_pods(value: Object) -> None:
    assert not pods(value)


@pytest.mark.parametrize(
    ("top", "middle", "bottom"),
    [
        (workload("Deployment", "front"), ("ReplicaSet", "front-6d4f"), "front-6d4f-x2x2x"),
        (cron_job("often"), ("Job", "often-2912"), "often-2912-x2x2x"),
    ],
)
def test_a_running_clusters_pods_are_made_once(top: Object, middle: tuple[str, str], bottom: str) -> None:
    kind, name = middle
    between = owned(job(name) if kind == "Job" else workload(kind, name), top["kind"], top["metadata"]["name"])
    pod = owned(an_object("Pod", bottom, pod_spec()), kind, name)
    assert [made.workload[0] for made in pods(top, between, pod)] == [top["kind"]]
    assert [made.workload[0] for made in pods(top, pod)] == [top["kind"]], "also without what is between"
    assert [made.workload[0] for made in pods(pod, between)] == [top["kind"]], "its owner is known, though not given"
    assert [chain(made) for made in pods(pod)] == [[kind]]


def test_a_pod_of_a_controller_in_another_namespace_is_not_its_pod() -> None:
    pod = owned(an_object("Pod", "a-b", pod_spec(), namespace="other"), "StatefulSet", "a")
    assert {(made.namespace, made.name) for made in pods(workload("StatefulSet", "a"), pod)} == {
        ("default", "a-0"),
        ("other", "a-b"),
    }


def test_a_static_pod_is_kept_though_its_node_is_given_and_is_its_own_workload() -> None:
    pod = owned(an_object("Pod", "proxy-n1", pod_spec(hostNetwork=True, nodeName="n1")), "Node", "n1")
    (made,) = pods(an_object("Node", "n1"), pod)
    assert made.workload == ("Pod", "proxy-n1")


def test_names_of_many_replicas_differ_and_are_as_long_as_the_api_allows() -> None:
    nodes = [an_object("Node", f"n{number}") for number in range(10)]
    found = pods(*nodes, workload("Deployment", "d" * 60, 2000))
    assert len({pod.name for pod in found}) == 2000
    assert {len(pod.name) for pod in found} == {63}


def test_what_is_shown_is_owned_by_what_is_shown_and_nothing_is_there_twice() -> None:
    values = [
        workload("Deployment", "a", 2),
        workload("StatefulSet", "b"),
        workload("DaemonSet", "c"),
        workload("ReplicaSet", "d"),
        workload("ReplicationController", "e"),
        job("f"),
        cron_job("g"),
        owned(workload("ReplicaSet", "a-1"), "Deployment", "a"),
        an_object("Pod", "h", pod_spec()),
    ]
    found = shown(built(*values))
    by_uid = {value["metadata"]["uid"]: value for value in found}
    assert len(by_uid) == len(found)
    for value in found:
        for reference in value["metadata"].get("ownerReferences", ()):
            owner = by_uid[reference["uid"]]
            assert (owner["kind"], owner["apiVersion"]) == (reference["kind"], reference["apiVersion"])
            assert owner["metadata"]["name"] == reference["name"]
    assert sum(value["kind"] == "Pod" for value in found) == 2 + 1 + 2 + 1 + 1 + 1 + 1 + 1


def test_what_is_shown_builds_the_same_pods_again() -> None:
    cluster = built(
        an_object("Node", "n1", labels={"disk": "fast"}),
        an_object("Node", "n2"),
        workload("Deployment", "a", 3),
        workload("StatefulSet", "b", 2),
        workload("DaemonSet", "c", nodeSelector={"disk": "fast"}),
        workload("ReplicaSet", "d"),
        workload("ReplicationController", "e"),
        job("f"),
        cron_job("g"),
        cron_job("h", CALLS),
        an_object("Pod", "i", pod_spec(hostNetwork=True), annotations=CALLS),
        owned(an_object("Pod", "j", pod_spec()), "Rollout", "j"),
    )
    running = build_cluster(cluster.given, AT, [next_run(cluster, jobs(cluster)[0], AT)])
    found = check(*shown(running))
    again = build_cluster(found.objects, AT)
    assert described(again) == described(cluster)
    assert len(running.pods) == len(cluster.pods) + 1


def described(cluster: Cluster) -> dict[str, object]:
    return {pod.name: (pod.namespace, pod.owners, pod.labels, pod.annotations) for pod in cluster.pods}


def test_what_another_cluster_wrote_down_is_not_shown_as_this_ones() -> None:
    value = {**workload("Deployment", "a"), "status": {"replicas": 7}}
    value["metadata"] |= {"uid": "theirs", "resourceVersion": "9", "managedFields": []}
    (found,) = [value for value in shown(built(value)) if value["kind"] == "Deployment"]
    assert "status" not in found
    assert not {"resourceVersion", "managedFields"} & set(found["metadata"])
    assert found["metadata"]["uid"] != "theirs"
