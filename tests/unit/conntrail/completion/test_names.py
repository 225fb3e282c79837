import pytest

from conntrail.completion.names import among, fitting, names_of, nearest, unknown_names

KEYS = [
    "Namespace//shop", "Namespace//data", "Deployment/shop/frontend", "ReplicaSet/shop/frontend-5d4f",
    "ReplicaSet/shop/alone", "StatefulSet/data/postgres", "CronJob/data/backup", "Job/data/backup-123",
    "Job/data/once-1",
    "Pod/shop/frontend-5d4f-abcde", "Service/shop/frontend", "NetworkPolicy/shop/deny", "Node//node1",
    "AdminNetworkPolicy//guard", "NetworkPolicy.projectcalico.org/data/strict",
    "Deployment/shop/$(reboot)", "Deployment/sh op/x", "Deployment/shop/", "Deployment", "",
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("namespace", ["data", "shop"]),
        ("workload", ["data/backup", "data/once-1", "data/postgres", "shop/alone", "shop/frontend"]),
        ("pod", ["shop/frontend-5d4f-abcde"]),
        ("service", ["shop/frontend"]),
        ("node", ["node1"]),
        ("policy", ["data/strict", "guard", "shop/deny"]),
    ],
)
def test_names_are_those_of_objects_without_what_others_made_or_a_shell_would_run(
    kind: str, expected: list[str]
) -> None:
    assert names_of(kind, KEYS) == expected


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("", ["data/postgres", "shop/web", "shop/worker"]),
        ("w", ["web", "worker"]),
        ("shop/w", ["shop/web", "shop/worker"]),
        ("data", ["data/postgres"]),
        ("x", []),
    ],
)
def test_a_name_fits_by_its_beginning_with_or_without_its_namespace(typed: str, expected: list[str]) -> None:
    assert fitting(["shop/web", "shop/worker", "data/postgres"], typed) == expected


def test_of_several_words_with_commas_the_last_is_completed() -> None:
    complete = among(("GET", "HEAD", "POST"))
    assert complete("") == ["GET", "HEAD", "POST"]
    assert complete("p") == ["POST"]
    assert complete("GET,h") == ["GET,HEAD"]
    assert complete("GET,x") == []


def test_what_is_offered_is_bounded() -> None:
    assert len(fitting([f"shop/w{number}" for number in range(5000)], "w")) == 200


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("frontnd", ["shop/frontend"]), ("shop/frontnd", ["shop/frontend"]), ("frontend", None),
        ("shop/frontend", None), ("data/postgres", None), ("front*", None), ("zzz", []),
    ],
)  # fmt: skip
def test_a_name_that_is_not_known_is_told_which_may_be_meant(typed: str, expected: list[str] | None) -> None:
    assert nearest(["shop/frontend", "data/postgres"], typed) == expected


def test_each_name_that_the_cluster_does_not_have_is_told() -> None:
    typed = {
        "to_workload": ["frontnd", "shop/frontend", "deployment/shop/frontend"],
        "namespace": ["shpo", "\x1b[2J"],
        "port": ["80"],
    }
    assert list(unknown_names(typed, KEYS)) == [
        "no workload frontnd is in the cluster now: did you mean shop/frontend?",
        "no namespace shpo is in the cluster now: did you mean shop?",
        r"no namespace \x1b[2J is in the cluster now",
    ]
    assert list(unknown_names(typed, [])) == []
