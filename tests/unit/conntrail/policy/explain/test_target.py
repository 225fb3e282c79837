import pytest

from conntrail.errors import CommandError
from conntrail.policy.explain.answer import Request, ask, within_bounds
from conntrail.policy.explain.target import find_target, split_port
from tests.unit.conntrail.policy.cluster.builders import node, pod, service, snapshot

CLUSTER = snapshot(
    pod("web-1", "10.0.0.1"),
    pod("web-2", "10.0.0.2"),
    pod("db-1", "10.0.0.3", ports={"sql": 5432}),
    service("db", "10.96.0.1", 80, "sql"),
    node("node1", "192.0.2.1"),
)


@pytest.mark.parametrize(
    ("text", "kind", "ends"),
    [
        ("shop/web-1", "pod", 1),
        ("shop/web", "workload", 2),
        ("shop/db", "service", 1),
        ("workload/shop/db", "workload", 1),
        ("10.96.0.1", "service", 1),
        ("10.0.0.1", "address", 1),
        ("203.0.113.9", "address", 1),
        ("node/node1", "node", 1),
    ],
)
def test_names_and_addresses_are_found(text: str, kind: str, ends: int) -> None:
    target = find_target(text, CLUSTER)
    assert (target.kind, len(target.ends)) == (kind, ends)


def test_the_address_of_a_pod_is_that_pod() -> None:
    (end,) = find_target("10.0.0.1", CLUSTER).ends
    assert end.pod is not None
    assert end.pod.name == "web-1"


@pytest.mark.parametrize("text", ["shop/nobody", "pod/shop/web", "node/node9"])
def test_a_name_that_nobody_has_is_refused(text: str) -> None:
    with pytest.raises(CommandError, match="no "):
        find_target(text, CLUSTER)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("shop/db:5432", ("shop/db", "5432")), ("[fd00::1]:443", ("fd00::1", "443")), ("shop/db:sql", ("shop/db", "sql"))],
)
def test_the_port_is_split_off(text: str, expected: tuple[str, str]) -> None:
    assert split_port(text) == expected


@pytest.mark.parametrize("text", ["shop/db", "fd00::1", ":80", "shop/db:"])
def test_a_destination_without_a_port_is_refused(text: str) -> None:
    with pytest.raises(CommandError, match="expected DST:PORT"):
        split_port(text)


def test_a_service_s_port_leads_to_the_pods_port() -> None:
    questions = ask(find_target("shop/web", CLUSTER), find_target("shop/db", CLUSTER), Request("TCP", "80"))
    assert [question.port for question in questions] == [5432, 5432]


def test_a_port_that_the_service_lacks_is_refused_with_those_it_has() -> None:
    with pytest.raises(CommandError, match="has no TCP port 81: it has TCP 80"):
        ask(find_target("shop/web", CLUSTER), find_target("shop/db", CLUSTER), Request("TCP", "81"))


def test_of_many_pairs_an_even_share_is_judged() -> None:
    (question, _) = ask(find_target("shop/web", CLUSTER), find_target("shop/db", CLUSTER), Request("TCP", "80"))
    assert len(within_bounds([question] * 1001)) == 334
    assert len(within_bounds([question] * 400)) == 400
    assert within_bounds([]) == []
