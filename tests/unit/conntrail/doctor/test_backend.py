from collections.abc import Mapping
from typing import Any

import pytest

from conntrail.doctor.choice import Surroundings, choose_areas, role_of
from conntrail.doctor.elasticsearch.judge import ElasticsearchFacts, judge_elasticsearch
from conntrail.doctor.finding import Finding
from conntrail.doctor.kafka.judge import KafkaFacts, Operations, judge_role, judge_roles, judge_topics, names_of
from conntrail.doctor.registry.judge import judge_registry
from conntrail.setup.change import Change
from schemas.role import NODE_AGENT, READER, ROLES, SETUP, WORKER
from schemas.topic import TOPICS
from streams.index.privilege import Privileges, privileges

_ALL = frozenset({"read", "write", "describe", "create", "alter", "describe-configs"})
_TOPICS, _GROUPS = names_of(ROLES, "p.")
_WANTED = privileges("default")


def _kafka(**topics: Operations | None) -> KafkaFacts:
    """Everything is allowed but what is said; ``_`` for dots."""
    said = {f"p.{name.replace('_', '.')}": value for name, value in topics.items()}
    return KafkaFacts("p.", 3, dict.fromkeys(_TOPICS, _ALL) | said, dict.fromkeys(_GROUPS, _ALL))


def _granted(wanted: Privileges) -> dict[str, Any]:
    index = {name: dict.fromkeys(group["privileges"], True) for group in wanted["indices"] for name in group["names"]}
    return {"cluster": dict.fromkeys(wanted["cluster"], True), "index": index}


def _elasticsearch(
    version: str = "8.19.2",
    held: Mapping[str, Mapping[str, Any]] | None = None,
    changes: tuple[Change, ...] | None = None,
    *,
    has_users: bool = True,
    role: str = "",
) -> dict[str, list[Finding]]:
    granted = {name: _granted(wanted) for name, wanted in _WANTED.items()}
    facts = ElasticsearchFacts("http://e:9200", version, None, has_users, held or granted, changes)
    found: dict[str, list[Finding]] = {}
    for finding in judge_elasticsearch(facts, _WANTED, role):
        found.setdefault(finding.check.name, []).append(finding)
    return found


def test_all_topics_are_asked_for_where_all_roles_are() -> None:
    assert set(_TOPICS) == {topic.full_name("p.") for topic in TOPICS}
    assert all(name.startswith("p.") for name in _GROUPS)
    topics, groups = names_of((NODE_AGENT,), "p.")
    assert topics == ["p.denials.raw", "p.dns.raw", "p.flows.raw", "p.l7.raw"]
    assert groups == []


def test_topics_that_are_not_there_are_named_and_none_at_all_is_worse() -> None:
    assert judge_topics(_kafka(), _TOPICS).state == "ok"
    some = judge_topics(_kafka(flows=None), _TOPICS)
    assert (some.state, some.found) == ("degraded", "not there: p.flows")
    none = KafkaFacts("p.", 1, dict.fromkeys(_TOPICS), {})
    assert judge_topics(none, _TOPICS).state == "missing"


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_a_role_that_may_everything_is_ok(role: Any) -> None:
    assert [finding.state for finding in judge_role(_kafka(), role)] == ["ok"]


def test_each_operation_that_a_role_may_not_is_named_with_its_topic() -> None:
    facts = _kafka(flows_raw=frozenset({"describe"}), dns_raw=frozenset(), windows=frozenset())
    found = judge_role(facts, NODE_AGENT)
    assert [finding.found for finding in found] == [
        "node-agent may not write topic p.dns.raw",
        "node-agent may not write topic p.flows.raw",
    ]
    assert {finding.state for finding in found} == {"missing"}


def test_a_group_that_a_role_may_not_use_is_named() -> None:
    groups = dict.fromkeys(_GROUPS, _ALL) | {"p.worker-flows": frozenset[str]()}
    found = judge_role(KafkaFacts("p.", 1, dict.fromkeys(_TOPICS, _ALL), groups), WORKER)
    assert [finding.found for finding in found] == ["worker may not read group p.worker-flows"]


def test_who_sets_up_needs_every_topic_by_its_beginning() -> None:
    found = judge_role(_kafka(alerts=frozenset({"describe"})), SETUP)
    assert [finding.found for finding in found] == [
        "setup may not create, alter, describe-configs topic p.alerts",
    ]


def test_a_topic_that_is_not_there_is_no_refusal() -> None:
    assert [finding.state for finding in judge_role(_kafka(flows_raw=None), NODE_AGENT)] == ["ok"]


def test_without_a_role_those_that_suffice_are_told() -> None:
    readable = dict.fromkeys(_TOPICS, frozenset({"read", "describe"}))
    [found] = judge_roles(KafkaFacts("p.", 1, readable, dict.fromkeys(_GROUPS, _ALL)))
    assert (found.state, found.found) == ("ok", "enough for reader")
    [none] = judge_roles(KafkaFacts("p.", 1, dict.fromkeys(_TOPICS, frozenset()), dict.fromkeys(_GROUPS, _ALL)))
    assert none.state == "missing"
    assert "--role" in none.document()["remedy"]


@pytest.mark.parametrize(
    ("version", "state"),
    [
        ("8.19.2", "ok"),
        ("8.4.0", "degraded"),
        ("9.1.0", "degraded"),
        ("10.0.0", "missing"),
        ("7.17.1", "missing"),
        ("", "skipped"),
    ],
)
def test_a_version_that_our_client_does_not_talk_to_is_told(version: str, state: str) -> None:
    assert _elasticsearch(version)["version"][0].state == state


def test_templates_are_held_against_what_setup_would_do() -> None:
    kept = Change("keep", "index template", "logs-conntrail.flow")
    assert _elasticsearch(changes=(kept,))["templates"][0].state == "ok"
    gone, other = Change("create", "index template", "a"), Change("differs", "index template", "b")
    found = _elasticsearch(changes=(kept, gone, other))["templates"]
    assert [(one.state, one.found.rpartition(": ")[2]) for one in found] == [("missing", "a"), ("degraded", "b")]
    assert _elasticsearch(changes=None)["templates"][0].state == "skipped"


def test_a_privilege_that_a_role_lacks_is_named_with_its_indices() -> None:
    held = {name: _granted(wanted) for name, wanted in _WANTED.items()}
    held["worker"]["index"]["logs-conntrail.flow-default-*"]["create_index"] = False
    [found] = _elasticsearch(held=held, role="worker")["access"]
    assert (found.state, found.found) == ("missing", "worker has not create_index on logs-conntrail.flow-default-*")
    assert _elasticsearch(held=held)["access"][0].found == f"enough for {READER.name}, {SETUP.name}"
    assert _elasticsearch(held=held, role="node-agent")["access"][0].state == "ok"


def test_without_users_everything_is_allowed() -> None:
    assert _elasticsearch(held={"x": {}}, has_users=False, role="worker")["access"][0].state == "ok"


def test_schemas_that_are_not_registered_are_named() -> None:
    assert [one.state for one in judge_registry(None, "")] == ["skipped"]
    assert [one.state for one in judge_registry({"a": True, "b": True}, "http://r")] == ["ok", "ok"]
    some = judge_registry({"a": True, "b": False}, "http://r")[1]
    assert (some.state, some.found) == ("degraded", "not registered: b")
    assert judge_registry({"a": False}, "http://r")[1].state == "missing"


def test_areas_are_those_asked_for_then_those_of_the_role_then_those_found() -> None:
    nothing = Surroundings(has_rights=False, has_credentials=False, has_elasticsearch=False)
    everything = Surroundings(has_rights=True, has_credentials=True, has_elasticsearch=True)
    assert choose_areas(["registry", "node"], NODE_AGENT, nothing) == ["node", "registry"]
    assert choose_areas([], NODE_AGENT, everything) == ["node", "kafka"]
    assert choose_areas([], role_of("worker"), nothing) == ["kafka", "elasticsearch", "registry"]
    assert choose_areas([], role_of("cluster-agent"), nothing) == ["cluster", "kafka", "registry"]
    assert choose_areas([], role_of("stranger"), nothing) == ["kafka", "registry"]
    assert len(choose_areas([], None, everything)) == 5
