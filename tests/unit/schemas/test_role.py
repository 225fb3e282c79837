"""Roles and their rights in Kafka's words."""

import pytest

from schemas.group import OBSERVE
from schemas.right import Right, rights_of
from schemas.role import NODE_AGENT, OPERATOR, READER, ROLES, SETUP, STAGE_ROLES, WORKER, Role
from schemas.topic import ALERT_STATE, DNS, FLOWS, KUBERNETES_EVENTS, L7, SILENCES, TOPICS


def _names(role: Role, operation: str) -> set[str]:
    found = rights_of(role, "c.")
    return {right.name for right in found if right.resource == "topic" and operation in right.operations}


def test_an_agent_writes_raw_topics_and_may_do_nothing_else() -> None:
    rights = rights_of(NODE_AGENT, "c.")
    assert {right.name for right in rights} == {f"c.{name}.raw" for name in ("flows", "dns", "l7", "denials")}
    assert {right.operations for right in rights} == {("write",)}


def test_only_setup_makes_topics() -> None:
    assert [role for role in ROLES if "create" in {o for r in rights_of(role, "c.") for o in r.operations}] == [SETUP]


@pytest.mark.parametrize("role", [READER, SETUP])
def test_who_reads_or_sets_up_writes_nothing(role: Role) -> None:
    assert not _names(role, "write")


def test_an_operator_silences_and_writes_nothing_else() -> None:
    assert _names(OPERATOR, "write") == {SILENCES.full_name("c.")}
    assert _names(OPERATOR, "read") == _names(READER, "read")


def test_a_reader_sees_neither_raw_topics_nor_the_state_of_alerts() -> None:
    hidden = {topic.full_name("c.") for topic in TOPICS if topic.name.endswith(".raw") or topic is ALERT_STATE}
    assert not _names(READER, "read") & hidden


def test_who_reads_joins_no_group() -> None:
    groups = [right for role in (READER, OPERATOR) for right in rights_of(role, "c.") if right.resource == "group"]
    assert {right.operations for right in groups} == {("describe",)}


def test_a_worker_of_all_stages_has_the_rights_of_each() -> None:
    for stage in STAGE_ROLES:
        for operation in ("read", "write"):
            assert _names(stage, operation) <= _names(WORKER, operation)
        assert set(stage.groups) <= set(WORKER.groups)


def test_who_looks_into_a_worker_may_observe_there() -> None:
    assert OBSERVE in WORKER.named_groups
    assert {topic.name for topic in (FLOWS, DNS, L7, KUBERNETES_EVENTS)} <= {topic.name for topic in WORKER.reads}


@pytest.mark.parametrize("role", [*ROLES, *STAGE_ROLES], ids=lambda role: role.name)
def test_every_name_begins_with_the_prefix(role: Role) -> None:
    assert all(right.name.startswith("c.") for right in rights_of(role, "c."))


def test_without_a_prefix_setup_makes_any_topic_and_others_are_bound_to_theirs() -> None:
    (right,) = rights_of(SETUP, "")
    assert right == Right("topic", "*", is_prefix=False, operations=right.operations)
    assert "flows.raw" in {right.name for right in rights_of(NODE_AGENT, "")}
