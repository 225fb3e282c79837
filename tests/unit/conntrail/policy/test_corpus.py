"""Every verdict of the corpus, with the policies that made it, as the command gives them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from conntrail.policy.command import app
from tests.golden.policy.corpus import Case, cases

_ACTIONS = {"Allow": "allow", "Accept": "allow", "Deny": "deny", "Pass": "pass"}


def _expected(case: Case, side: list[Any]) -> dict[str, Any]:
    """Admin rules in their order; NetworkPolicies, where they were reached, as a set without rule indexes."""
    allow, isolating, allowing, rules = (*side, *([], [], [])[len(side) - 1 :])
    admin = [f"{case.hit_name(policy)}:rule={rule}:{_ACTIONS[action]}" for policy, rule, action in rules]
    is_decided_before = any(
        action != "Pass" and not case.hit_name(policy).endswith(":baseline") for policy, _, action in rules
    )
    named = [] if is_decided_before else allowing if allow else isolating
    return {
        "action": "allow" if allow else "deny",
        "admin": admin,
        "network_policies": {case.hit_name(index) for index in named},
    }


def _answered(side: dict[str, Any]) -> dict[str, Any]:
    network_policies = [hit for hit in side["policies"] if hit.startswith("NetworkPolicy:")]
    return {
        "action": side["action"],
        "admin": [hit for hit in side["policies"] if hit not in network_policies],
        "network_policies": {hit.partition(":rule=")[0] for hit in network_policies},
    }


def _ask(case: Case, folder: Path) -> list[dict[str, Any]]:
    (folder / "objects.json").write_text(json.dumps({"kind": "List", "items": case.manifests}))
    (folder / "questions.jsonl").write_text("\n".join(json.dumps(case.question(query)) for query in case.queries))
    arguments = ["evaluate", "-f", str(folder / "objects.json"), "--queries", str(folder / "questions.jsonl")]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.mark.parametrize(
    ("kind", "questions"),
    [("network_policy", 41_160), ("admin_network_policy", 20_720), ("cluster_network_policy", 24_341)],
)
def test_all_verdicts_and_rules_agree_with_the_independent_engines(
    kind: str, questions: int, tmp_path: Path, tell: Callable[[str], None]
) -> None:
    corpus, asked, differing = cases(kind), 0, []
    for case in corpus:
        answers = _ask(case, tmp_path)
        asked += len(answers)
        for query, answer in zip(case.queries, answers, strict=True):
            expected = {"egress": _expected(case, query[6]), "ingress": _expected(case, query[7])}
            answered = {name: _answered(answer[name]) for name in expected}
            if answered != expected:
                differing.append((case.id, query, answer))
    tell(f"{kind}: {len(corpus)} cases, {asked} questions, {len(differing)} differ")
    assert differing == []
    assert asked == questions
