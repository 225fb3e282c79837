import json
from pathlib import Path

from conntrail.setup.change import Change
from conntrail.setup.template.plan import plan_objects, wanted_objects
from conntrail.setup.topic.plan import ExistingTopic, plan_topics
from schemas.topic import ALERTS, FLOWS
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
    given_back = json.loads(json.dumps({name.name: body for name, body in wanted.items()}))
    existing = {name: {**given_back[name.name], "created_date": "2026"} for name in wanted}
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


def test_a_cluster_of_the_core_alone_is_told_of_nothing_beyond() -> None:
    text = json.dumps({name.name: body for name, body in wanted_objects(_CORE).items()})
    assert "lifecycle" not in text
    assert "logsdb" not in text


def test_the_files_for_other_tools_are_what_setup_writes() -> None:
    folders = {"lifecycle policy": "lifecycle", "component template": "component", "index template": "index"}
    wanted = {f"{folders[name.kind]}/{name.name}.json": body for name, body in wanted_objects(_ALL).items()}
    found = {str(path.relative_to(_DEPLOY)): json.loads(path.read_text()) for path in _DEPLOY.rglob("*.json")}
    assert found == wanted, "renew them: conntrail setup --write-templates deploy/elasticsearch"
