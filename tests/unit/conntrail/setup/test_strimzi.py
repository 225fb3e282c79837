"""Strimzi's resources say what the tables of topics and roles say, and those in the repository say the same."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from conntrail.setup.strimzi.manifest import topic_manifests, user_manifests
from conntrail.setup.strimzi.writer import write_strimzi
from runtime.settings import AccessSettings, KafkaSettings, Settings
from schemas.role import ROLES
from schemas.topic import TOPICS

DEPLOY = Path(__file__).parents[4] / "deploy/strimzi"


@pytest.mark.parametrize("name", ["topics.yaml", "users.yaml", "kustomization.yaml"])
def test_the_repository_has_what_would_be_written(name: str, tmp_path: Path) -> None:
    write_strimzi(tmp_path, Settings())
    assert (DEPLOY / name).read_text() == (tmp_path / name).read_text(), (
        "renew them: conntrail setup --write-strimzi deploy/strimzi"
    )
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in DEPLOY.iterdir()}


def test_every_topic_and_role_has_its_resource_with_a_name_that_kubernetes_takes() -> None:
    manifests = [
        *topic_manifests(TOPICS, KafkaSettings()),
        *user_manifests(ROLES, KafkaSettings(), AccessSettings()),
    ]
    names = [str(manifest["metadata"]["name"]) for manifest in manifests]
    assert len(set(names)) == len(TOPICS) + len(ROLES)
    assert all(name == name.lower() and "_" not in name for name in names)


def test_an_agents_user_may_write_raw_topics_alone() -> None:
    users = user_manifests(ROLES, KafkaSettings(topic_prefix="c."), AccessSettings(user="x-{role}"))
    (agent,) = [user for user in users if user["metadata"]["name"] == "x-node-agent"]
    rules: list[dict[str, Any]] = agent["spec"]["authorization"]["acls"]
    assert {rule["resource"]["name"] for rule in rules} == {
        "c.flows.raw", "c.dns.raw", "c.l7.raw", "c.denials.raw",
    }  # fmt: skip
    assert [rule["operations"] for rule in rules] == [["Write"]] * 4


def test_what_is_written_is_yaml_of_many_documents() -> None:
    topics = list(yaml.safe_load_all((DEPLOY / "topics.yaml").read_text()))
    assert [topic["kind"] for topic in topics] == ["KafkaTopic"] * len(TOPICS)
