"""Alerts as Kubernetes Events, by a real API server."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from schemas.single_object import codec_of
from schemas.topic import ALERTS
from tests.kubernetes.conftest import RULES
from tests.kubernetes.workloads import Workloads
from tests.support.alerts import alert, resolved
from tests.support.kubernetes_agent import await_that, running_agent
from tests.support.kubernetes_api.server import ApiServer

_CREATE: dict[str, Any] = {"apiGroups": [""], "resources": ["events"], "verbs": ["create"]}


def _create(kafka: str, name: str) -> None:
    admin = AdminClient({"bootstrap.servers": kafka})
    admin.create_topics([NewTopic(name, 2, 1)])[name].result(30)


def test_an_alert_and_its_end_are_events_on_the_workload_told_once(
    api_server: ApiServer,
    account: Callable[[str, list[dict[str, Any]]], Path],
    kafka: str,
    settings: dict[str, str],
    tmp_path: Path,
) -> None:
    topic_prefix = settings["KAFKA__TOPIC_PREFIX"]
    workloads = Workloads(api_server, f"{topic_prefix.rstrip('.')}-a")
    namespace = workloads.namespace
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "main", "image": "x:1"}]}}
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    workloads.make("apps/v1/deployments", {"metadata": {"name": "web"}, "spec": spec})
    kubeconfig = account(f"{topic_prefix.rstrip('.')}-events", [*RULES, _CREATE])
    own = {**settings, "CLUSTER_AGENT__KUBECONFIG": str(kubeconfig), "CLUSTER_AGENT__ALERT_EVENTS": "true"}
    name = ALERTS.full_name(topic_prefix)
    _create(kafka, name)
    producer, codec = Producer({"bootstrap.servers": kafka}), codec_of(ALERTS.schema)

    def send(record: dict[str, Any]) -> None:
        producer.produce(name, codec.encode(record), record["id"].encode())
        assert producer.flush(30) == 0

    def told() -> list[tuple[str, str, str]]:
        found = api_server.request("GET", f"/api/v1/namespaces/{namespace}/events")["items"]
        assert all(one["involvedObject"]["uid"] for one in found)
        return sorted((one["reason"], one["type"], one["involvedObject"]["kind"]) for one in found)

    about = {"workloads": [f"{namespace}/web", f"{namespace}/gone"], "namespace": namespace}
    opened = ("NetworkAlert", "Warning", "Deployment")
    with running_agent(tmp_path / "first", own) as agent:
        await_that(agent.is_ready, "the agent is ready")
        send(alert(**about))
        send(alert("a1", 2, **about))
        await_that(lambda: told() == [opened], "the alert is told")
        assert agent.stop() == 0
    send(resolved(**about))
    with running_agent(tmp_path / "second", own) as agent:
        await_that(
            lambda: told() == [opened, ("NetworkAlertResolved", "Normal", "Deployment")], "its end is told, and no more"
        )
        assert agent.stop() == 0


def test_without_the_right_it_is_said_and_objects_go_on(
    kafka: str, settings: dict[str, str], topic_prefix: str, tmp_path: Path, api_server: ApiServer
) -> None:
    workloads = Workloads(api_server, f"{topic_prefix.rstrip('.')}-b")
    workloads.make_pod("web")
    name = ALERTS.full_name(topic_prefix)
    _create(kafka, name)
    with running_agent(tmp_path, {**settings, "CLUSTER_AGENT__ALERT_EVENTS": "true"}) as agent:
        await_that(agent.is_ready, "the agent is ready")
        producer = Producer({"bootstrap.servers": kafka})
        producer.produce(name, codec_of(ALERTS.schema).encode(alert(workloads=[f"{workloads.namespace}/web"])))
        assert producer.flush(30) == 0
        await_that(lambda: "no right to create events" in agent.why_not_ready(), "the missing right is named")
