"""Every verdict of the corpus, as the command gives it."""

import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from conntrail.policy.command import app
from tests.golden.policy.corpus import NETWORK_POLICY, Case, cases, question_of


def _expected(case: Case, side: list[Any]) -> dict[str, Any]:
    allow, isolating, allowing = (*side, [], [])[:3] if len(side) < 3 else side[:3]
    if allow and not isolating:
        return {"action": "allow", "policies": set()}
    named = allowing if allow else isolating
    return {"action": "allow" if allow else "deny", "policies": {case.hit_name(index) for index in named}}


def _answered(side: dict[str, Any]) -> dict[str, Any]:
    return {"action": side["action"], "policies": {policy.partition(":rule=")[0] for policy in side["policies"]}}


def _ask(case: Case, folder: Path) -> list[dict[str, Any]]:
    (folder / "objects.json").write_text(json.dumps(case.manifests))
    (folder / "questions.jsonl").write_text("\n".join(json.dumps(question_of(query)) for query in case.queries))
    arguments = ["evaluate", "-f", str(folder / "objects.json"), "--queries", str(folder / "questions.jsonl")]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_all_verdicts_and_policies_agree_with_the_independent_engines(tmp_path: Path, capsys: Any) -> None:
    corpus = cases(NETWORK_POLICY)
    questions = 0
    differing = []
    for case in corpus:
        answers = _ask(case, tmp_path)
        assert len(answers) == len(case.queries)
        questions += len(answers)
        for query, answer in zip(case.queries, answers, strict=True):
            expected = {"egress": _expected(case, query[6]), "ingress": _expected(case, query[7])}
            answered = {name: _answered(answer[name]) for name in expected}
            if answered != expected:
                differing.append((case.id, query, answer))
    with capsys.disabled():
        print(f"\nNetworkPolicy v1: {len(corpus)} cases, {questions} questions, {len(differing)} differ")  # noqa: T201
    assert questions > 40_000
    assert differing == []
