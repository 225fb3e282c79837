import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from conntrail.policy.command import app


def _pod(name: str, address: str, **labels: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "shop", "labels": labels},
        "spec": {"containers": [{"name": "c", "ports": [{"name": "sql", "containerPort": 5432}]}]},
        "status": {"podIP": address},
    }


def _policy(name: str, spec: Any, **metadata: Any) -> dict[str, Any]:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": "shop", **metadata},
        "spec": spec,
    }


PODS = [_pod("web", "10.0.0.1", app="web"), _pod("db", "10.0.0.2", app="db")]
ISOLATE_DB = _policy(
    "db",
    {
        "podSelector": {"matchLabels": {"app": "db"}},
        "ingress": [{"from": [{"podSelector": {"matchLabels": {"app": "web"}}}], "ports": [{"port": "sql"}]}],
    },
)
WEB_TO_DB = {"source": {"pod": "shop/web"}, "destination": {"pod": "shop/db"}, "protocol": "TCP", "port": 5432}


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def ask(folder: Path, objects: list[Any], *questions: Any, options: tuple[str, ...] = ()) -> Result:
    (folder / "objects.yaml").write_text(yaml.safe_dump_all(objects))
    (folder / "q.jsonl").write_text("\n".join(json.dumps(question) for question in questions))
    return run("evaluate", "-f", folder / "objects.yaml", "--queries", folder / "q.jsonl", *options)


def test_answers_come_in_the_order_of_the_questions(tmp_path: Path) -> None:
    result = ask(tmp_path, [*PODS, ISOLATE_DB], {**WEB_TO_DB, "port": 80}, WEB_TO_DB)
    assert result.exit_code == 0, result.output
    assert [json.loads(line) for line in result.stdout.splitlines()] == [
        {
            "egress": {"action": "allow", "policies": [], "pending": "allow"},
            "ingress": {"action": "deny", "policies": ["NetworkPolicy:shop/db:rule=-1:deny"], "pending": "deny"},
        },
        {
            "egress": {"action": "allow", "policies": [], "pending": "allow"},
            "ingress": {"action": "allow", "policies": ["NetworkPolicy:shop/db:rule=0:allow"], "pending": "allow"},
        },
    ]


def test_an_end_outside_answers_allow_and_is_judged_by_its_address(tmp_path: Path) -> None:
    question = {**WEB_TO_DB, "source": {"pod": "", "address": "192.0.2.1"}}
    answer = json.loads(ask(tmp_path, [*PODS, ISOLATE_DB], question).stdout)
    assert (answer["egress"]["action"], answer["ingress"]["action"]) == ("allow", "deny")


def test_a_staged_policy_answers_in_pending_alone(tmp_path: Path) -> None:
    staged = _policy("next", {"podSelector": {}}, annotations={"conntrail.io/staged": "true"})
    answer = json.loads(ask(tmp_path, [*PODS, staged], WEB_TO_DB).stdout)
    assert answer["ingress"] == {
        "action": "allow",
        "policies": [],
        "pending": "deny",
        "pending_policies": ["NetworkPolicy:shop/next:rule=-1:deny"],
    }


def test_a_policy_of_a_kind_that_is_not_evaluated_is_named_and_unknown(tmp_path: Path) -> None:
    foreign = {"apiVersion": "cilium.io/v2", "kind": "CiliumNetworkPolicy", "metadata": ISOLATE_DB["metadata"]}
    answer = json.loads(ask(tmp_path, [*PODS, ISOLATE_DB, foreign], WEB_TO_DB).stdout)
    assert answer["ingress"]["action"] == "unknown"
    assert answer["ingress"]["policies"] == ["CiliumNetworkPolicy:shop/db:rule=-1:unknown"]


def test_requests_and_protocols_by_any_name_are_asked_about(tmp_path: Path) -> None:
    rules = [
        {"action": "Allow", "protocol": "TCP", "http": {"methods": ["GET"]}},
        {"action": "Allow", "protocol": "ICMPv6"},
    ]
    metadata = {"name": "default.p", "namespace": "shop"}
    policy = {"apiVersion": "projectcalico.org/v3", "kind": "NetworkPolicy", "metadata": metadata}
    questions = [
        {**WEB_TO_DB, "http": {"method": "GET", "path": "/"}},
        {**WEB_TO_DB, "http": {"method": "POST", "path": "/"}},
        {**WEB_TO_DB, "protocol": "icmpv6", "port": 0},
    ]
    result = ask(tmp_path, [*PODS, {**policy, "spec": {"ingress": rules}}], *questions)
    answers = [json.loads(line)["ingress"] for line in result.stdout.splitlines()]
    assert [answer["action"] for answer in answers] == ["allow", "deny", "allow"]
    assert answers[0]["policies"] == ["NetworkPolicy:shop/default.p:default:rule=0:allow"]


def test_queries_of_dns_are_asked_about(tmp_path: Path) -> None:
    ports = [{"ports": [{"port": "53", "protocol": "ANY"}], "rules": {"dns": [{"matchPattern": "*.example"}]}}]
    policy = {
        "apiVersion": "cilium.io/v2",
        "kind": "CiliumNetworkPolicy",
        "metadata": {"name": "p", "namespace": "shop"},
    }
    asked = {**WEB_TO_DB, "protocol": "UDP", "port": 53}
    questions = [{**asked, "dns": {"name": name}} for name in ("a.example", "a.b.example")]
    result = ask(tmp_path, [*PODS, {**policy, "spec": {"endpointSelector": {}, "egress": [{"toPorts": ports}]}}],
                 *questions, asked)  # fmt: skip
    actions = [json.loads(line)["egress"]["action"] for line in result.stdout.splitlines()]
    assert actions == ["allow", "deny", "allow"]


def test_objects_come_from_files_directories_and_lists(tmp_path: Path) -> None:
    folder = tmp_path / "manifests" / "deep"
    folder.mkdir(parents=True)
    (folder / "pods.json").write_text(json.dumps({"apiVersion": "v1", "kind": "PodList", "items": PODS}))
    (tmp_path / "policy.yml").write_text("---\n" + yaml.safe_dump({"kind": "List", "items": [ISOLATE_DB]}) + "---\n")
    (tmp_path / "q.jsonl").write_text(json.dumps({**WEB_TO_DB, "port": 1}) + "\n\n")
    result = run(
        "evaluate", "-f", tmp_path / "manifests", "-f", tmp_path / "policy.yml", "--queries", tmp_path / "q.jsonl"
    )
    assert json.loads(result.stdout)["ingress"]["action"] == "deny"


def test_of_two_objects_with_one_name_the_last_counts(tmp_path: Path) -> None:
    opened = _policy("db", {"podSelector": {}, "ingress": [{}]})
    answer = json.loads(ask(tmp_path, [*PODS, ISOLATE_DB, opened], {**WEB_TO_DB, "port": 1}).stdout)
    assert answer["ingress"]["policies"] == ["NetworkPolicy:shop/db:rule=0:allow"]


@pytest.mark.parametrize("output", ["json", "table", "wide"])
def test_answers_can_be_printed_otherwise(tmp_path: Path, output: str) -> None:
    result = ask(tmp_path, [*PODS, ISOLATE_DB], WEB_TO_DB, options=("-o", output))
    assert result.exit_code == 0
    assert "allow" in result.stdout


@pytest.mark.parametrize(
    ("question", "complaint"),
    [
        ({**WEB_TO_DB, "source": {"pod": "shop/nobody"}}, "q.jsonl:1: source.pod: no pod 'shop/nobody'"),
        ({**WEB_TO_DB, "source": {}}, "source: needs a pod or an address"),
        ({**WEB_TO_DB, "source": {"address": "10.0.0"}}, "source.address: '10.0.0' is no IP address"),
        ({**WEB_TO_DB, "destination": None}, "destination: expected an object"),
        ({**WEB_TO_DB, "port": 65536}, "port: expected a number from 0 to 65535, got 65536"),
        ({**WEB_TO_DB, "protocol": 6}, "protocol: expected TCP"),
        ({**WEB_TO_DB, "http": {"method": "GET"}}, "http: expected an object with method and path"),
        ({**WEB_TO_DB, "dns": {"name": 1}}, "dns: expected an object with name"),
        (
            {**WEB_TO_DB, "dns": {"name": "a"}, "http": {"method": "GET", "path": "/"}},
            "http, dns: a question has one of them at most",
        ),
        ([], "expected an object with source"),
    ],
)
def test_a_bad_question_is_one_clear_line(tmp_path: Path, question: Any, complaint: str) -> None:
    result = ask(tmp_path, PODS, question)
    assert result.exit_code == 1
    assert complaint in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "cannot read"),
        ("kind: [", "cannot read"),
        ("just text", "expected Kubernetes objects"),
        ("a: 1", "expected Kubernetes objects"),
        ("kind: Pod\napiVersion: v1\nmetadata: [1]", "an object is malformed"),
    ],
)
def test_objects_that_cannot_be_read_are_one_clear_line(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "objects.yaml").write_text(text)
    result = run("list", "-f", tmp_path / "objects.yaml")
    assert result.exit_code == 1
    assert complaint in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_missing_file_and_an_empty_directory_are_named(tmp_path: Path) -> None:
    missing, empty = run("list", "-f", tmp_path / "none.yaml"), run("list", "-f", tmp_path)
    assert (missing.exit_code, empty.exit_code) == (1, 1)
    assert "none.yaml" in missing.stderr
    assert "holds no .yaml" in empty.stderr


def test_the_list_names_what_cannot_be_evaluated_and_goes_on(tmp_path: Path) -> None:
    broken = _policy("broken", {"podSelector": {}, "ingress": [{"from": [{"nodeSelector": {}}]}]})
    (tmp_path / "objects.yaml").write_text(yaml.safe_dump_all([ISOLATE_DB, broken]))
    result = run("list", "-f", tmp_path / "objects.yaml", "-o", "jsonl")
    rows = {row["name"]: row for row in map(json.loads, result.stdout.splitlines())}
    assert rows["db"]["faults"] == []
    assert rows["broken"]["faults"] == ["spec.ingress[0].from[0]: not known here: nodeSelector"]


def test_wrong_usage_exits_2() -> None:
    assert run("evaluate").exit_code == 2


def test_files_may_follow_each_other_as_a_shell_expands_them(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(yaml.safe_dump_all(PODS))
    (tmp_path / "b.yaml").write_text(yaml.safe_dump_all([ISOLATE_DB]))
    (tmp_path / "q.jsonl").write_text(json.dumps(WEB_TO_DB))
    objects = (tmp_path / "a.yaml", tmp_path / "b.yaml")
    listed = run("list", "-f", *objects, "-o", "jsonl")
    assert json.loads(listed.stdout)["name"] == "db"
    for arguments in (
        ("-f", *objects, "--queries", tmp_path / "q.jsonl"),
        ("--queries", tmp_path / "q.jsonl", "-f", *objects),
    ):
        assert "NetworkPolicy:shop/db" in run("evaluate", *arguments).stdout


def test_a_table_for_a_pipe_is_neither_cut_nor_able_to_drive_a_terminal(tmp_path: Path) -> None:
    name = "p" * 120 + "\x1b[31m"
    (tmp_path / "objects.yaml").write_text(json.dumps(_policy(name, {"podSelector": {}})))
    result = run("list", "-f", tmp_path / "objects.yaml")
    assert "p" * 120 + r"\x1b[31m" in result.stdout


def test_objects_without_a_policy_are_said_to_have_none(tmp_path: Path) -> None:
    (tmp_path / "objects.yaml").write_text(yaml.safe_dump_all(PODS))
    result = run("list", "-f", tmp_path / "objects.yaml")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "no policy" in result.stderr
