from typing import Any

from conntrail.lab.change import as_stored, without
from conntrail.lab.identity import uid_of
from conntrail.lab.place import build_cluster
from conntrail.lab.show import shown

BUILT, NOW, LATER = "2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z", "2026-01-01T00:02:00Z"


def policy(name: str, **metadata: Any) -> dict[str, Any]:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": "a", **metadata},
        "spec": {},
    }


def facts(value: dict[str, Any]) -> tuple[str, str, int]:
    return tuple(value["metadata"][name] for name in ("creationTimestamp", "uid", "generation"))  # type: ignore[return-value]


def test_a_new_object_begins_now_and_another_of_its_name_is_another_object() -> None:
    [first] = as_stored([], [policy("p")], BUILT, NOW)
    [second] = as_stored([], [policy("p")], BUILT, LATER)
    assert facts(first)[0] == NOW
    assert facts(first)[1] != facts(second)[1]


def test_a_replaced_object_stays_what_it_is_in_another_generation() -> None:
    [first] = as_stored([], [policy("p")], BUILT, NOW)
    [second] = as_stored([first], [policy("p")], BUILT, LATER)
    assert facts(second) == (NOW, facts(first)[1], 2)


def test_what_the_lab_was_built_with_keeps_its_beginning_when_it_is_replaced() -> None:
    [replaced] = as_stored([policy("p")], [policy("p")], BUILT, NOW)
    assert facts(replaced) == (BUILT, uid_of("NetworkPolicy", "a", "p"), 2)


def test_only_what_is_named_goes() -> None:
    assert without([policy("p"), policy("q")], [policy("q")]) == [policy("p")]


def test_what_is_shown_says_when_a_policy_came() -> None:
    [added] = as_stored([], [policy("p")], BUILT, NOW)
    cluster = build_cluster([{"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1"}}, added], BUILT)
    [seen] = [value for value in shown(cluster) if value["kind"] == "NetworkPolicy"]
    assert facts(seen) == facts(added)
