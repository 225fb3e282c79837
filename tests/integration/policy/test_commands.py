"""`conntrail policy` on the cluster that the topic tells of, and on history from either source."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from conntrail.policy.command import app
from conntrail.policy.history.period import instant_text
from runtime.settings import Settings
from schemas.topic import FLOWS, POLICY_HITS, WINDOWS
from tests.integration.policy.written import new_settings, replica_set, set_environment, write, write_objects
from tests.support.history import AT_MS, seen_flow, seen_hit, seen_window
from tests.support.stack import RunningStack
from tests.unit.conntrail.policy.cluster.builders import NOW_NS, allow_from, manifest, node, pod, policy, service

SPAN = ("--since", instant_text(AT_MS - 3_600_000), "--until", instant_text(AT_MS + 3_600_000))
OBJECTS = (
    manifest("Namespace", "shop", namespace="", labels={"team": "a"}),
    node("node1", "192.0.2.1"),
    pod("web-1", "10.0.0.1"),
    pod("api-1", "10.0.0.2", ports={"http": 8080}),
    pod("db-1", "10.0.0.3", ports={"sql": 5432}),
    service("db", "10.96.0.1", 5432, "sql"),
    allow_from("web", "api", 8080),
    allow_from("api", "db", "sql"),
    policy("stale", {"podSelector": {"matchLabels": {"app": "gone"}}}),
)


@pytest.fixture
def settings(stack: RunningStack, topic_prefix: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A cluster with traffic: web uses api, is denied db, and goes out without encryption."""
    made = new_settings(stack, topic_prefix)
    set_environment(monkeypatch, made)
    write_objects(made, OBJECTS, NOW_NS)
    web, api, db = (replica_set(name) for name in ("web", "api", "db"))
    web1 = (replica_set("web", "web-1"), "10.0.0.1")
    cluster = made.cluster
    write(
        made,
        [
            (WINDOWS, seen_window("w1", web, api, 8080, cluster=cluster, started=5)),
            (WINDOWS, seen_window("w2", web, db, 5432, cluster=cluster, action="denied", started=2)),
            (WINDOWS, seen_window("w3", web, "203.0.113.9", 80, cluster=cluster, started=4)),
            (FLOWS, seen_flow("f1", web1, (replica_set("api", "api-1"), "10.0.0.2"), 8080, cluster=cluster)),
            (FLOWS, seen_flow("f2", web1, (replica_set("db", "db-1"), "10.0.0.3"), 5432, cluster=cluster,
                              action="denied", at=1)),
            (FLOWS, seen_flow("f3", web1, (replica_set("db", "db-1"), "10.0.0.3"), 5432, cluster=cluster, at=-60)),
            (POLICY_HITS, seen_hit("h1", "api", 0, cluster=cluster)),
            (POLICY_HITS, seen_hit("h2", "db", -1, cluster=cluster)),
        ],
    )  # fmt: skip
    return made


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, *SPAN])


def answer(*arguments: str) -> Any:
    result = run(*arguments, "-o", "json")
    assert result.exit_code in (0, 1), result.output
    return json.loads(result.stdout)


@pytest.mark.usefixtures("settings")
def test_every_command_answers_alike_from_elasticsearch_and_kafka() -> None:
    hits, findings, gaps, why = (
        [answer(*command, "--source", source) for source in ("elasticsearch", "kafka")]
        for command in (("hits",), ("unused",), ("gaps",), ("explain", "shop/web", "shop/db:5432"))
    )
    for one, other in (hits, findings, gaps, why):
        assert one == other
    assert [(row["policy"], row["rule"], row["allowed"], row["denied"]) for row in hits[0]] == [
        ("NetworkPolicy shop/api", "0", 2, 0),
        ("NetworkPolicy shop/db", "default", 0, 2),
    ]
    assert {(row["policy"], row["problem"], row["rule"]) for row in findings[0]} == {
        ("NetworkPolicy shop/db", "never-matched", "0"),
        ("NetworkPolicy shop/stale", "selects-nothing", ""),
    }
    assert [(row["workload"], row["direction"], row["outside"]) for row in gaps[0]["gaps"]] == [
        ("shop/web", "egress", 1),
        ("shop/api", "egress", 0),
        ("shop/db", "egress", 0),
        ("shop/web", "ingress", 0),
    ]
    assert {row["problem"] for row in gaps[0]["insecure_egress"]} == {"unencrypted-port", "no-name"}
    assert [row["unused"] for row in gaps[0]["lateral_movement"]] == [1, 0, 0]
    assert why[0]["verdict"] == "denied"
    assert [item["action"] for item in why[0]["seen"]] == ["denied", "allowed"]
    assert why[0]["nodes"] == [
        "node node1 is ready; the agent on node1 last reported at 2026-11-23T18:32:01.123Z, coverage complete"
    ]


@pytest.mark.usefixtures("settings")
def test_explain_says_what_was_seen_and_what_to_change_and_exits_by_the_verdict() -> None:
    denied = run("explain", "shop/web", "shop/db:5432")
    assert denied.exit_code == 1
    assert "denied at 2026-11-23T18:32:01.123Z: reported by node1, node2; evidence confirmed" in denied.stdout
    assert "add a rule to NetworkPolicy shop/db that allows pods with app=web" in denied.stdout
    assert run("explain", "shop/web", "shop/api:8080").exit_code == 0


@pytest.mark.usefixtures("settings")
def test_list_shows_selected_pods_and_connections_of_the_period() -> None:
    rows = {row["name"]: (row["pods"], row["connections"]) for row in answer("list")}
    assert rows == {"api": (1, 2), "db": (1, 2), "stale": (0, 0)}


@pytest.mark.usefixtures("settings")
def test_a_cluster_that_nobody_told_of_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONNTRAIL_CLUSTER", "nowhere")
    result = run("gaps")
    assert result.exit_code == 1
    assert result.stderr.startswith("conntrail policy: no objects of cluster 'nowhere' in Kafka: run conntrail")
