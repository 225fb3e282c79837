import json
from pathlib import Path
from typing import Any

import pytest

from conntrail.setup.change import Change
from conntrail.setup.template.licence import leaves_sources_away
from conntrail.setup.template.plan import ObjectName, plan_objects, wanted_objects
from conntrail.setup.topic.plan import ExistingTopic, plan_topics
from runtime.setting.index import KEPT
from runtime.settings import IndexSettings
from runtime.unit import Seconds
from schemas.topic import ALERTS, FLOWS
from streams.index.dataset import DATASETS
from streams.index.template import ClusterFeatures

_ALL = ClusterFeatures(has_logsdb=True, has_lifecycle=True)
_CORE = ClusterFeatures(has_logsdb=False, has_lifecycle=False)
_DEPLOY = Path(__file__).parents[4] / "deploy/elasticsearch"


def test_an_absent_topic_is_created() -> None:
    plan = plan_topics([FLOWS], {}, "p.", 6, 1)
    assert plan.created == (("p.flows", FLOWS),)
    assert [(change.act, change.name) for change in plan.changes] == [("create", "p.flows")]


def test_a_topic_as_wanted_is_kept_whatever_the_order_of_its_policies() -> None:
    found = ExistingTopic(6, 1, {**ALERTS.configuration(), "cleanup.policy": "delete,compact"})
    plan = plan_topics([ALERTS], {"p.alerts": found}, "p.", 6, 1)
    assert plan.changes == (Change("keep", "topic", "p.alerts"),)


def test_partitions_are_added_and_the_rest_only_reported() -> None:
    found = ExistingTopic(2, 3, {**FLOWS.configuration(), "retention.ms": "5"})
    plan = plan_topics([FLOWS], {"p.flows": found}, "p.", 6, 1)
    assert plan.widened == ("p.flows",)
    assert plan.created == ()
    assert [change.act for change in plan.changes] == ["update", "differs", "differs"]


def test_templates_that_elasticsearch_gives_back_in_its_own_words_are_kept() -> None:
    wanted = wanted_objects(_ALL)
    existing = {name: {**json.loads(json.dumps(body)), "created_date": "2026"} for name, body in wanted.items()}
    for name in existing:
        if name.name == "conntrail-head":
            index = existing[name]["template"]["settings"]["index"]
            index["number_of_shards"] = str(index["number_of_shards"])
            existing[name]["template"]["mappings"]["dynamic"] = "false"
    assert {change.act for change in plan_objects(wanted, existing)} == {"keep"}


def test_a_template_of_another_release_is_updated_and_a_policy_is_the_operators() -> None:
    wanted = wanted_objects(_ALL)
    changes = plan_objects(wanted, {name: {"template": {}, "policy": {}} for name in wanted})
    assert {(change.kind, change.act) for change in changes} == {
        ("lifecycle policy", "keep"),
        ("component template", "update"),
        ("index template", "update"),
    }


def test_a_policy_follows_its_setting_until_somebody_changes_it() -> None:
    name = ObjectName("lifecycle policy", "logs-conntrail.flow")
    usual = wanted_objects(_ALL)[name]
    longer = wanted_objects(_ALL, IndexSettings(keep_flow=Seconds(14 * 86400.0)))[name]
    assert longer["policy"]["phases"]["delete"]["min_age"] == "15d"
    changed = json.loads(json.dumps(usual))
    changed["policy"]["phases"]["delete"]["min_age"] = "99d"
    acts = [plan_objects({name: longer}, {name: found})[0].act for found in (usual, longer, changed)]
    assert acts == ["update", "keep", "keep"]


@pytest.mark.parametrize(
    ("features", "licence", "is_small"),
    [
        ({}, {}, True),
        ({"features": {"security": {}}}, {"license": {"type": "basic"}}, True),
        ({"features": {"logsdb": {}}}, {"license": {"type": "basic"}}, False),
        ({"features": {"logsdb": {}}}, {"license": {"type": "platinum"}}, False),
        ({"features": {"logsdb": {}}}, {"license": {"type": "enterprise"}}, True),
        ({"features": {"logsdb": {}}}, {"license": {"type": "trial"}}, True),
    ],
)
def test_logsdb_is_taken_where_the_licence_makes_it_small(features: Any, licence: Any, is_small: bool) -> None:
    assert leaves_sources_away(features, licence) is is_small


def test_every_dataset_has_its_period() -> None:
    assert {dataset.name for dataset in DATASETS} == set(KEPT)


def test_a_cluster_of_the_core_alone_is_told_of_nothing_beyond() -> None:
    text = json.dumps({name.name: body for name, body in wanted_objects(_CORE).items()})
    assert "lifecycle" not in text
    assert "logsdb" not in text


def test_the_files_for_other_tools_are_what_setup_writes() -> None:
    folders = {"lifecycle policy": "lifecycle", "component template": "component", "index template": "index"}
    wanted = {f"{folders[name.kind]}/{name.name}.json": body for name, body in wanted_objects(_ALL).items()}
    found = {str(path.relative_to(_DEPLOY)): json.loads(path.read_text()) for path in _DEPLOY.rglob("*.json")}
    assert found == wanted, "renew them: conntrail setup --write-templates deploy/elasticsearch"
