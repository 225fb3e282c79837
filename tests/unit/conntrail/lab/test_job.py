"""When the pods of Jobs and CronJobs come, and whom they call."""

from itertools import islice

import pytest

from conntrail.errors import CommandError
from conntrail.lab.cluster import CALL, EVERY, SLOTS
from conntrail.lab.job import jobs, next_run, starts
from conntrail.lab.order import check_calls, pod_tasks
from conntrail.lab.place import build_cluster
from tests.unit.conntrail.lab.builders import (
    AT,
    Object,
    an_object,
    built,
    cron_job,
    job,
    owned,
    pod_spec,
    workload,
)

CALLS = {CALL: '[{"kind": "tcp", "to": "192.0.2.10", "port": 1}]'}


def calling(to: str, port: int = 80, kind: str = "tcp") -> dict[str, str]:
    return {CALL: f'[{{"kind": "{kind}", "to": "{to}", "port": {port}}}]'}


def names(*objects: Object, count: int = 6) -> list[tuple[float, str]]:
    return [(at, value["metadata"]["name"]) for at, value in islice(starts(jobs(built(*objects))), count)]


def test_cron_jobs_come_again_in_turn_and_a_job_once() -> None:
    often, more = cron_job("often", CALLS, {EVERY: "6"}), cron_job("more", CALLS, {EVERY: "3"})
    assert names(often, more, job("once", CALLS)) == [
        (0, "often"),
        (0, "once"),
        (1, "more"),
        (4, "more"),
        (6, "often"),
        (7, "more"),
    ]


def test_without_the_labs_annotation_a_cron_job_still_comes() -> None:
    assert names(cron_job("a", CALLS), count=2) == [(0, "a"), (10, "a")]


def test_jobs_that_ended_or_that_a_given_cron_job_made_do_not_come() -> None:
    made = owned(job("a-1", CALLS), "CronJob", "a")
    over = job("over", CALLS, suspend=True)
    assert [name for _, name in names(cron_job("a", CALLS), made, over, count=2)] == ["a", "a"]
    assert not names(over)


def test_a_run_survives_being_derived_again_beside_others() -> None:
    cluster = built(cron_job("a", CALLS), job("b", CALLS), workload("Deployment", "d", 3))
    first = next_run(cluster, jobs(cluster)[0], "2026-01-01T00:00:01+00:00")
    both = build_cluster(cluster.given, AT, [first])
    second = next_run(both, jobs(both)[1], "2026-01-01T00:00:02+00:00")
    pods = build_cluster(cluster.given, AT, [first, second]).pods
    assert pods[-2] == both.pods[-1]
    assert pods[:-2] == cluster.pods
    assert pods[-2].addresses != pods[-1].addresses
    assert [owner.kind for owner in pods[-2].owners] == ["Job", "CronJob"]


def test_a_run_is_on_the_last_node_with_room() -> None:
    last = an_object("Node", "n2")
    full = [an_object("Pod", f"p{number}", pod_spec(nodeName="n2")) for number in range(len(SLOTS))]
    cluster = built(an_object("Node", "n1"), last, job("a", CALLS), *full)
    assert next_run(cluster, jobs(cluster)[0], AT).node == "n1"
    more = [an_object("Pod", f"q{number}", pod_spec(nodeName="n1")) for number in range(len(SLOTS))]
    with pytest.raises(CommandError, match="Job default/a: no node has an address left"):
        next_run(built(an_object("Node", "n1"), last, job("a", CALLS), *full, *more), cluster.given[2], AT)


@pytest.mark.parametrize("to", ["web", "web.default", "web.default.svc", "web.default.svc.cluster.local"])
def test_a_service_is_called_by_any_of_its_names(to: str) -> None:
    service = an_object("Service", "web", {"selector": {"app": "a"}, "ports": [{"port": 80}]})
    cluster = built(service, workload("Deployment", "d", 2, annotations=calling(to)))
    (task,) = pod_tasks(cluster, cluster.pods[0])
    assert (task.address, task.service) == ("10.96.0.10", "default/web")
    assert task.servers == tuple(f"default/{pod.name}" for pod in cluster.pods)


def test_a_headless_service_leads_to_a_pod() -> None:
    service = an_object("Service", "web", {"clusterIP": "None", "selector": {"app": "a"}, "ports": [{"port": 80}]})
    cluster = built(service, workload("Deployment", "d", annotations=calling("web", kind="tcp6")))
    (task,) = pod_tasks(cluster, cluster.pods[0])
    assert (task.address, task.service) == (cluster.pods[0].addresses[1], "")


@pytest.mark.parametrize(
    ("to", "message"),
    [
        ("web", "no service web is there to call, in namespace default"),
        ("web.other.svc.example.com", "no service web.other.svc.example.com"),
        ("pod/default/nobody", "no pod of default/nobody"),
        ("bare", "service default/bare has neither an address nor pods"),
        ("1.2.3", "no service 1.2.3"),
    ],
)
def test_a_call_that_leads_nowhere_is_told_before_anything_is_built(to: str, message: str) -> None:
    bare = an_object("Service", "bare", {"clusterIP": "None", "ports": [{"port": 80}]})
    for caller in (workload("Deployment", "d", annotations=calling(to)), cron_job("d", calling(to))):
        with pytest.raises(CommandError, match=rf"{caller['kind']} default/d: .*lab-call: {message}"):
            check_calls(built(bare, caller))
