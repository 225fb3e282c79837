"""Policies of every kind in the kernel: what was worked out by hand happens, and the evaluator says the same of it."""

import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from conntrail.lab.main import Lab
from conntrail.policy.manifest import Cluster
from tests.support.lab import Fact, running_lab, traffic_of
from tests.support.mixed import MANIFESTS, cluster_of, evaluated, question_of
from tests.support.pipeline import run_command

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
    pytest.mark.timeout(400),
]
OUTCOMES = {"allowed": {"answered"}, "denied": {"timeout", "refused"}, "refused": {"refused"}}
ACTIONS = {"answered": "allow", "timeout": "deny", "refused": "deny"}
FEWEST_POLICIES = 20


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with running_lab(tmp_path_factory.mktemp("mixed"), MANIFESTS) as running:
        yield running


@pytest.fixture(scope="module")
def facts(lab: Lab) -> list[Fact]:
    return traffic_of(lab, 7)


@pytest.fixture(scope="module")
def cluster(lab: Lab) -> Cluster:
    return cluster_of(lab.cluster_directory)


def given() -> list[Fact]:
    return list(yaml.safe_load_all((MANIFESTS / "policies.yaml").read_text()))


def test_there_are_twenty_policies_of_mixed_kinds(cluster: Cluster) -> None:
    kinds = Counter(policy.kind for policy in cluster.policies.policies)
    assert kinds.total() >= FEWEST_POLICIES
    assert set(kinds) == {
        *("NetworkPolicy", "AdminNetworkPolicy", "BaselineAdminNetworkPolicy", "ClusterNetworkPolicy"),
        *("GlobalNetworkPolicy", "StagedGlobalNetworkPolicy"),
        *("StagedNetworkPolicy", "StagedKubernetesNetworkPolicy"),
    }
    assert not [policy for policy in cluster.policies.policies if policy.faults or policy.is_opaque]


def test_every_object_is_shown_as_it_was_given(lab: Lab) -> None:
    listing = yaml.safe_load((lab.cluster_directory / "objects.yaml").read_text())["items"]
    shown = {(v["apiVersion"], v["kind"], v["metadata"].get("namespace"), v["metadata"]["name"]): v for v in listing}
    uids = [value["metadata"]["uid"] for value in listing]
    assert len(uids) == len(set(uids))
    for value in given():
        metadata = value["metadata"]
        found = shown[value["apiVersion"], value["kind"], metadata.get("namespace"), metadata["name"]]
        assert found["spec"] == value["spec"]
        assert found["metadata"]["creationTimestamp"]


def test_the_kernel_does_what_was_worked_out_by_hand(facts: list[Fact]) -> None:
    wrong = [fact for fact in facts if fact["outcome"] not in OUTCOMES[fact["expected"]]]
    assert not wrong, f"{len(wrong)} of {len(facts)}: {json.dumps(wrong[:4], indent=1)}"


def test_every_call_was_made(lab: Lab, facts: list[Fact]) -> None:
    made = {(f["client"]["workload"], f["dialled_address"], f["dialled_port"], f["protocol"]) for f in facts}
    listing = yaml.safe_load((lab.cluster_directory / "objects.yaml").read_text())["items"]
    templates = [v["spec"]["template"] for v in listing if v["kind"] in ("Deployment", "StatefulSet")]
    calls = [json.loads(template["metadata"]["annotations"]["conntrail.io/lab-call"]) for template in templates]
    assert len(made) == sum(map(len, calls))


def test_a_denial_that_resets_is_told_at_once(facts: list[Fact]) -> None:
    assert {fact["outcome"] for fact in facts if fact["policy"] == "shop/pay-first"} == {"refused"}
    assert {fact["outcome"] for fact in facts if fact["policy"] == "/store"} == {"timeout"}


def test_the_evaluator_says_what_the_kernel_did(facts: list[Fact], cluster: Cluster) -> None:
    wrong = []
    for fact in facts:
        trace = evaluated(fact, cluster)
        verdict = "allow" if trace.verdict == "none" else trace.verdict
        if verdict != ACTIONS[fact["outcome"]]:
            wrong.append({"verdict": trace.verdict, "hits": [str(h) for h in trace.denied_by], **fact})
    assert not wrong, f"{len(wrong)} of {len(facts)}: {json.dumps(wrong[:4], indent=1)}"


def test_the_evaluator_names_who_denied_and_where(facts: list[Fact], cluster: Cluster) -> None:
    for fact in facts:
        if fact["expected"] == "denied":
            trace = evaluated(fact, cluster)
            sides = {"egress": trace.egress, "ingress": trace.ingress}
            assert sides[fact["direction"]].action == "deny", fact
            assert any(f":{fact['policy']}:" in str(hit) for hit in sides[fact["direction"]].hits), fact


def test_every_policy_that_is_enforced_was_met(facts: list[Fact], cluster: Cluster) -> None:
    met = set()
    for fact in facts:
        trace = evaluated(fact, cluster)
        met |= {hit.policy.sort_key for side in (trace.egress, trace.ingress) for hit in side.hits}
    enforced = {policy.sort_key for policy in cluster.policies.policies if not policy.is_staged}
    assert met == enforced


def test_the_command_says_the_same(lab: Lab, facts: list[Fact], cluster: Cluster, tmp_path: Path) -> None:
    questions = tmp_path / "questions.jsonl"
    questions.write_text("".join(json.dumps(question_of(fact, cluster)) + "\n" for fact in facts))
    done = run_command(os.environ, "policy", "evaluate", "-f", str(lab.cluster_directory), "--queries", str(questions))
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(facts)
    for fact, answer in zip(facts, answers, strict=True):
        actions = {answer["egress"]["action"], answer["ingress"]["action"]}
        verdict = "allow" if actions == {"allow"} else "deny" if "deny" in actions else "unknown"
        assert verdict == ACTIONS[fact["outcome"]], (fact, answer)
