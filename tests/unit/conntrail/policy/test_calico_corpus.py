"""Every verdict of Calico's own calculation, enforced and pending, with its trace, as the command gives them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from conntrail.policy.command import app
from tests.golden.policy.calico import answered_steps, as_calico_looks_up, expected_steps, is_looked_up_wrongly
from tests.golden.policy.corpus import Case, cases

_ENFORCED_FIELDS = 2


def _expected(case: Case, side: list[Any], direction: str) -> dict[str, Any]:
    allow, trace, pending, pending_trace = [*side, *([], side[0], side[1] if len(side) > 1 else [])[len(side) - 1 :]]
    return {
        "action": "allow" if allow else "deny",
        "steps": expected_steps(case, trace, direction),
        "pending": "allow" if pending else "deny",
        "pending_steps": expected_steps(case, pending_trace, direction),
    }


def _answered(side: dict[str, Any]) -> dict[str, Any]:
    return {
        "action": side["action"],
        "steps": answered_steps(side["policies"]),
        "pending": side["pending"],
        "pending_steps": answered_steps(side.get("pending_policies", side["policies"])),
    }


def _ask(case: Case, manifests: list[Any], folder: Path) -> list[dict[str, Any]]:
    (folder / "objects.json").write_text(json.dumps({"kind": "List", "items": manifests}))
    (folder / "questions.jsonl").write_text("\n".join(json.dumps(case.question(query)) for query in case.queries))
    arguments = ["evaluate", "-f", str(folder / "objects.json"), "--queries", str(folder / "questions.jsonl")]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def _differing(case: Case, answers: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [
        (case.id, query, direction, answer[direction])
        for query, answer in zip(case.queries, answers, strict=True)
        for direction, side in zip(("egress", "ingress"), query[7:9], strict=True)
        if _answered(answer[direction]) != _expected(case, side, direction)
    ]


def test_all_verdicts_and_traces_agree_with_calico(tmp_path: Path, tell: Callable[[str], None]) -> None:
    corpus, asked, pending, differing = cases("calico"), 0, 0, []
    for case in corpus:
        answers = _ask(case, as_calico_looks_up(case.manifests), tmp_path)
        asked += len(answers)
        pending += sum(len(side) > _ENFORCED_FIELDS for query in case.queries for side in query[7:9])
        differing += _differing(case, answers)
    tell(f"calico: {len(corpus)} cases, {asked} questions, {pending} pending, {len(differing)} differ")
    assert differing == []
    assert (len(corpus), asked, pending) == (80, 19_200, 3_240)


def test_blocks_that_calico_does_not_find_in_its_sets_are_the_only_difference(
    tmp_path: Path, tell: Callable[[str], None]
) -> None:
    with_sets = [case for case in cases("calico") if as_calico_looks_up(case.manifests) != case.manifests]
    differing = [item for case in with_sets for item in _differing(case, _ask(case, case.manifests, tmp_path))]
    manifests = {case.id: case.manifests for case in with_sets}
    tell(f"calico: {len(differing)} questions of {len(with_sets)} cases differ by blocks of 25 to 31 bits")
    assert all(is_looked_up_wrongly(manifests[name], query[1], query[3]) for name, query, _, _ in differing)
    assert (len(with_sets), len(differing)) == (29, 24)
