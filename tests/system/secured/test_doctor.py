"""``conntrail doctor --role``: each role has what it needs; what it lacks for another is named."""

import json
from typing import Final

import pytest

from schemas.role import NODE_AGENT, READER, ROLES, SETUP, WORKER, Role
from schemas.topic import FLOWS, FLOWS_RAW
from tests.support.pipeline import run_command
from tests.support.secured import NAMESPACE, PREFIX, Secured

pytestmark = [pytest.mark.stack, pytest.mark.system]
_WITH_KEYS: Final = (WORKER, READER, SETUP)


def _look(secured: Secured, user: Role, *words: str) -> tuple[int, dict[str, list[dict[str, str]]]]:
    """Exit status, and findings by area and check."""
    done = run_command(secured.environment(user), "doctor", *words, "-o", "json")
    assert not done.stderr, done.stderr
    found: dict[str, list[dict[str, str]]] = {}
    for one in json.loads(done.stdout):
        found.setdefault(f"{one['area']}.{one['check']}", []).append(one)
    return done.returncode, found


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_a_role_has_what_it_needs(secured: Secured, role: Role) -> None:
    areas = ("kafka", "elasticsearch") if role in _WITH_KEYS else ("kafka",)
    status, found = _look(secured, role, *areas, "--role", role.name)
    assert status == 0, found
    assert found["kafka.topics"][0]["state"] == "ok"
    assert found["kafka.access"][0]["state"] == "ok"
    if role in _WITH_KEYS:
        assert found["elasticsearch.access"][0]["state"] == "ok"


def test_without_a_role_what_the_credentials_suffice_for_is_told(secured: Secured) -> None:
    _, found = _look(secured, NODE_AGENT, "kafka")
    assert [one["found"] for one in found["kafka.access"]] == [f"enough for {NODE_AGENT.name}"]


def test_what_another_role_would_need_is_named(secured: Secured) -> None:
    status, found = _look(secured, READER, "kafka", "elasticsearch", "--role", WORKER.name)
    assert status == 1
    refused = {one["found"] for one in found["kafka.access"]}
    assert f"worker may not write topic {FLOWS.full_name(PREFIX)}" in refused
    assert f"worker may not read topic {FLOWS_RAW.full_name(PREFIX)}" in refused
    assert f"worker may not read group {PREFIX}worker-flows" in refused
    refused = {one["found"] for one in found["elasticsearch.access"]}
    assert any("create_index" in one and f"on logs-conntrail.flow-{NAMESPACE}-*" in one for one in refused)
