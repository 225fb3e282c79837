"""Each role tries what it must not do, on a real Kafka and a real Elasticsearch, and is refused."""

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any, Final

import pytest

from runtime.kafka import client_configuration
from schemas.group import CLUSTER_AGENT_ALERTS, worker_group
from schemas.role import CLUSTER_AGENT, OPERATOR, READER, ROLES, SETUP, WORKER, Role
from schemas.topic import FLOWS, FLOWS_RAW, TOPICS
from streams.index.privilege import privileges
from tests.support import attempt
from tests.support.attempt import DONE
from tests.support.pipeline import run_command
from tests.support.secured import NAMESPACE, PREFIX, Secured

pytestmark = [pytest.mark.stack, pytest.mark.system]
Tell = Callable[[str], None]
_TOPIC: Final = "TOPIC_AUTHORIZATION_FAILED"
_GROUP: Final = "GROUP_AUTHORIZATION_FAILED"
_CLUSTER: Final = "CLUSTER_AUTHORIZATION_FAILED"
_TRANSACTION: Final = "TRANSACTIONAL_ID_AUTHORIZATION_FAILED"
_KEYS: Final = (WORKER, READER, SETUP)
roles = pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)


@pytest.fixture
def user(secured: Secured, role: Role) -> dict[str, Any]:
    """Whoever has the role, as a client of Kafka."""
    return dict(client_configuration(secured.settings(role).kafka, "test"))


def _names(topics: Any) -> set[str]:
    return {topic.full_name(PREFIX) for topic in topics}


@roles
def test_topics_that_are_not_its_own_are_not_written(role: Role, user: dict[str, Any], tell: Tell) -> None:
    foreign = _names(TOPICS) - _names(role.writes)
    assert attempt.write(user, foreign) == dict.fromkeys(foreign, _TOPIC)
    tell(f"{role.name}: write {len(foreign)} topics not its own: {_TOPIC}")


@roles
def test_topics_that_are_not_its_own_are_not_read(role: Role, user: dict[str, Any], tell: Tell) -> None:
    foreign = _names(TOPICS) - _names(role.reads)
    group = next((PREFIX + name for name in (*role.groups, *role.named_groups)), f"{PREFIX}none")
    assert attempt.read(user, foreign, group) == dict.fromkeys(foreign, _TOPIC)
    tell(f"{role.name}: read {len(foreign)} topics not its own: {_TOPIC}")


@roles
def test_topics_are_not_made_reconfigured_or_deleted(role: Role, user: dict[str, Any], tell: Tell) -> None:
    assert attempt.create_topic(user, "foreign") == _TOPIC
    own, expected = f"{PREFIX}fresh-{role.name}", DONE if role is SETUP else _TOPIC
    assert attempt.create_topic(user, own) == expected
    assert attempt.add_partitions(user, own if role is SETUP else FLOWS.full_name(PREFIX), 9) == expected
    for topic in _names((FLOWS_RAW, FLOWS)):
        assert attempt.alter_configuration(user, topic) == _TOPIC
        assert attempt.delete_topic(user, topic) == _TOPIC
    tell(f"{role.name}: create a topic (setup: outside its prefix), alter and delete topics: {_TOPIC}")


@roles
def test_groups_of_others_are_not_joined(role: Role, user: dict[str, Any], tell: Tell) -> None:
    """The topic is one that it may describe, if any, so that it is the group that is refused."""
    topic = next(iter(_names((*role.reads, *role.writes))), FLOWS.full_name(PREFIX))
    others = {"foreign", PREFIX + worker_group("flows"), PREFIX + CLUSTER_AGENT_ALERTS}
    others -= {PREFIX + name for name in role.groups}
    assert {attempt.join(user, group, topic) for group in others} == {_GROUP}
    tell(f"{role.name}: join {len(others)} groups not its own: {_GROUP}")


@roles
def test_transactions_of_others_are_not_begun(role: Role, user: dict[str, Any], tell: Tell) -> None:
    """Whoever may would fence the worker that makes the alerts."""
    identity = "foreign" if role.transactions else f"{PREFIX}alerts-default"
    assert attempt.begin_transaction(user, identity) == _TRANSACTION
    tell(f"{role.name}: begin transactions as {identity}: {_TRANSACTION}")


@roles
def test_nobody_gives_itself_rights(role: Role, user: dict[str, Any], tell: Tell) -> None:
    assert attempt.allow_itself(user, f"User:conntrail-{role.name}") == _CLUSTER
    tell(f"{role.name}: add access control entries: {_CLUSTER}")


def _ask(secured: Secured, role: Role, method: str, path: str, body: Any = None) -> int:
    """HTTP status, by the role's key."""
    request = urllib.request.Request(
        f"{secured.stack.elasticsearch}/{path}",
        None if body is None else json.dumps(body).encode(),
        {
            "Authorization": f"ApiKey {secured.settings(role).elasticsearch.api_key}",
            "Content-Type": "application/json",
        },
        method=method,
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


_DAY: Final = f"logs-conntrail.dns-{NAMESPACE}-2020.01.01"
_OTHER: Final = "logs-conntrail.dns-other-2020.01.01"
_TEMPLATE: Final = {"index_patterns": ["foreign-*"]}
_DOCUMENT: Final = {"@timestamp": "2020-01-01T00:00:00Z"}
ATTEMPTS: Final[tuple[tuple[str, str, Any, tuple[str, ...]], ...]] = (
    ("PUT", f"{_DAY}/_doc/1", _DOCUMENT, ("worker",)),
    ("PUT", f"{_OTHER}/_doc/1", _DOCUMENT, ()),
    ("PUT", "foreign/_doc/1", _DOCUMENT, ()),
    ("GET", f"logs-conntrail.dns-{NAMESPACE}-*/_search", None, ("worker", "reader")),
    ("GET", "foreign/_search", None, ()),
    ("DELETE", _DAY, None, ("worker",)),
    ("PUT", "_index_template/foreign", _TEMPLATE, ("setup",)),
    ("PUT", "_cluster/settings", {"persistent": {"cluster.routing.rebalance.enable": "all"}}, ()),
    ("PUT", "_security/role/foreign", {"cluster": ["all"]}, ()),
    ("POST", "_security/api_key", {"name": "more", "role_descriptors": {"all": {"cluster": ["all"]}}}, ()),
)


@pytest.mark.parametrize("role", _KEYS, ids=lambda role: role.name)
def test_a_key_does_in_elasticsearch_what_its_role_may_and_nothing_else(
    secured: Secured, role: Role, tell: Tell
) -> None:
    for method, path, body, allowed in ATTEMPTS:
        status = _ask(secured, role, method, path, body)
        tell(f"{role.name}: Elasticsearch {method} {path}: {status}")
        assert (status < 300) == (role.name in allowed), (method, path, status)
        assert role.name in allowed or status == 403


def test_who_never_asks_elasticsearch_has_no_key(secured: Secured) -> None:
    with_key = {role.name for role in ROLES if "ELASTICSEARCH__API_KEY_FILE" in secured.own(role)}
    assert with_key == set(privileges(NAMESPACE)) == {role.name for role in _KEYS}
    assert CLUSTER_AGENT.name not in with_key
    assert OPERATOR.name not in with_key


def test_the_role_of_setup_is_enough_for_setup(secured: Secured) -> None:
    done = run_command(secured.environment(SETUP), "setup", "-o", "json")
    assert done.returncode == 0, done.stderr
    assert {change["act"] for change in json.loads(done.stdout)} == {"keep"}


def test_a_second_run_keeps_everything_and_tells_no_secret_again(secured: Secured) -> None:
    before = {path: path.read_text() for path in secured.secrets.rglob("*") if path.is_file()}
    words = ("setup", "--access", "--users", "--secrets", str(secured.secrets), "-o", "json")
    done = run_command(secured.admin_environment(), *words)
    assert done.returncode == 0, done.stderr
    assert {change["act"] for change in json.loads(done.stdout)} == {"keep"}
    assert {path: path.read_text() for path in secured.secrets.rglob("*") if path.is_file()} == before
    assert not any(text in done.stdout + done.stderr for text in before.values())


@pytest.mark.parametrize("role", [SETUP, WORKER], ids=lambda role: role.name)
def test_who_is_no_administrator_is_told_what_it_takes(secured: Secured, role: Role) -> None:
    done = run_command(secured.environment(role), "setup", "--access", "--dry-run")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1, done.stderr
