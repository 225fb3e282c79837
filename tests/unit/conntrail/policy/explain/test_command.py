"""`conntrail policy explain` on objects in files, with nobody asked for the past."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from conntrail.policy.command import app
from tests.unit.conntrail.policy.cluster.builders import allow_from, manifest, node, pod, policy, service

OBJECTS = [
    node("node1", "192.0.2.1", ready=False),
    pod("web-1", "10.0.0.1"),
    pod("api-1", "10.0.0.2", ports={"http": 8080}),
    pod("db-1", "10.0.0.3", ports={"sql": 5432}, ready=False),
    service("db", "10.96.0.1", 5432, "sql"),
    allow_from("api", "db", "sql"),
    policy("all", {"podSelector": {"matchLabels": {"app": "db"}}}),
    manifest("NetworkPolicy", "c", namespace="ops", version="crd.antrea.io/v1beta1", spec={}),
    pod("job-1", "10.0.1.1", namespace="ops"),
]


def explain(tmp_path: Path, *arguments: str) -> Result:
    file = tmp_path / "objects.yaml"
    file.write_text(yaml.safe_dump_all(OBJECTS))
    return CliRunner().invoke(app, ["explain", *arguments, "-f", str(file), "--source", "none"])


def test_a_denial_names_every_isolating_policy_the_nearest_miss_and_the_change(tmp_path: Path) -> None:
    result = explain(tmp_path, "shop/web", "shop/db:5432")
    assert result.exit_code == 1
    assert "NetworkPolicy shop/all isolates the pod" in result.stdout
    assert "NetworkPolicy shop/db isolates the pod" in result.stdout
    assert (
        "nearest: NetworkPolicy shop/db rule 0 fails by selector: it wants app=api, the pod has app=web"
        in result.stdout
    )
    assert "add a rule to NetworkPolicy shop/db that allows pods with app=web in namespace shop" in result.stdout
    assert "0 of 1 endpoints ready" in result.stdout
    assert "node node1 is NOT ready" in result.stdout


def test_what_is_allowed_exits_0_and_names_the_rule(tmp_path: Path) -> None:
    result = explain(tmp_path, "shop/api-1", "shop/db:5432", "-o", "json")
    assert result.exit_code == 0, result.output
    answer: dict[str, Any] = json.loads(result.stdout)
    assert answer["verdict"] == "allowed"
    assert answer["policies"][0]["ingress"]["policies"] == ["NetworkPolicy:shop/db:rule=0:allow"]
    assert answer["policies"][0]["destination_port"] == 5432
    assert not answer["is_answering"]


def test_a_denial_as_json_says_which_part_failed(tmp_path: Path) -> None:
    answer = json.loads(explain(tmp_path, "shop/api", "shop/db-1:81", "-o", "jsonl").stdout)
    assert answer["policies"][0]["ingress"]["nearest"] == {
        "policy": "NetworkPolicy:shop/db",
        "rule": 0,
        "failed": ["port"],
        "words": ["it allows TCP port named sql, not TCP 81"],
    }


def test_what_cannot_be_decided_is_unknown_and_names_the_policy(tmp_path: Path) -> None:
    result = explain(tmp_path, "ops/job", "shop/web:80")
    assert result.exit_code == 1
    assert result.stdout.startswith("UNKNOWN: ")
    assert "NetworkPolicy ops/c cannot be decided" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [(("shop/nobody", "shop/db:1"), "shop/nobody: no pod"), (("shop/web", "shop/db:81"), "has no TCP port 81"),
     (("shop/web", "shop/db"), "expected DST:PORT")],
)  # fmt: skip
def test_a_wrong_question_is_one_clear_line(tmp_path: Path, arguments: tuple[str, ...], reason: str) -> None:
    result = explain(tmp_path, *arguments)
    assert result.exit_code == 1
    assert reason in result.stderr
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1


def test_a_request_is_judged_by_its_method_and_path(tmp_path: Path) -> None:
    spec = {
        "selector": "app == 'web'",
        "types": ["Ingress"],
        "ingress": [{"action": "Allow", "protocol": "TCP", "http": {"methods": ["GET"], "paths": [{"exact": "/x"}]}}],
    }
    calico = manifest("NetworkPolicy", "default.web", version="projectcalico.org/v3", spec=spec)
    file = tmp_path / "calico.yaml"
    file.write_text(yaml.safe_dump(calico))
    asked = ("shop/api", "shop/web:80", "-f", str(file))
    assert explain(tmp_path, *asked, "--method", "GET", "--path", "/x").exit_code == 0
    assert explain(tmp_path, *asked, "--method", "PUT", "--path", "/x").exit_code == 1
    assert explain(tmp_path, *asked, "--method", "PUT").exit_code == 2
