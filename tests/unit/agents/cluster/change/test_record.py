"""Changes over the life of an agent: each once, whatever is repeated."""

from collections.abc import Iterable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from agents.cluster.change.record import change_record, found_differences
from agents.cluster.inventory import Inventory, Update
from agents.cluster.touch import NOTHING
from schemas.schema import read_schema
from schemas.single_object import SingleObjectCodec
from tests.support.kubernetes_objects import SECOND_NS, network_policy

_NOW = 1_800_000_000 * SECOND_NS
_CODEC = SingleObjectCodec(read_schema("change"))
_State = tuple[int, str] | None
"""Replicas and image of a Deployment; None when it is not there."""


def _deployment(state: tuple[int, str], version: int, life: int) -> dict[str, Any]:
    replicas, image = state
    template = {"spec": {"containers": [{"name": "main", "image": image}]}}
    metadata = {"name": "web", "namespace": "shop", "uid": f"u{life}", "resourceVersion": str(version)}
    metadata |= {"generation": version, "creationTimestamp": "2026-01-01T00:00:00Z"}
    spec = {"replicas": replicas, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


def _told(updates: Iterable[Update]) -> list[dict[str, Any]]:
    return [change_record(update, one, NOTHING) for update in updates for one in found_differences(update)]


def _expected(states: list[_State]) -> list[tuple[str, str]]:
    """Action and the state after, by the plainest of rules."""
    found: list[tuple[str, str]] = []
    before: _State = None
    for state in states:
        if state is None:
            found += [("deleted", "")] if before is not None else []
        elif before is None:
            found.append(("created", f"{state[0]} replicas, {state[1]}"))
        else:
            found += [("rolled_out", state[1])] if state[1] != before[1] else []
            found += [("scaled", f"{state[0]} replicas")] if state[0] != before[0] else []
        before = state
    return found


_STATES: st.SearchStrategy[list[tuple[_State, bool]]] = st.lists(
    st.tuples(st.none() | st.tuples(st.integers(0, 2), st.sampled_from(["x:1", "x:2"])), st.booleans()), max_size=12
)


@given(_STATES)
def test_any_sequence_of_states_gives_each_change_once_over_crashes_too(steps: list[tuple[_State, bool]]) -> None:
    """At each step the agent may end after it told the changes and before it stored the state, and begin anew."""
    stored: dict[str, Any] = {"Namespace/other": None}
    inventory = _begun(stored)
    ids: dict[str, tuple[str, str]] = {}
    version = life = 0
    before: _State = None
    for number, (state, is_crash) in enumerate(steps):
        version += state != before
        life += before is None and state is not None
        before = state
        listed = [] if state is None else [_deployment(state, version, life)]
        updates = inventory.replace(listed, _NOW + number, frozenset({"Deployment"}))
        for change in _told(updates):
            ids[change["id"]] = (change["action"], change["to_value"])
        if is_crash:
            inventory = _begun(stored)
            updates = inventory.replace(listed, _NOW + number, frozenset({"Deployment"}))
            again = _told(updates)
            assert {change["id"] for change in again} <= ids.keys()
        stored |= {update.key: update.record for update in updates}
    assert sorted(ids.values()) == sorted(_expected([state for state, _ in steps]))


def _begun(stored: dict[str, Any]) -> Inventory:
    """An inventory of a topic that is as old as the objects, so that whatever it lacks is new."""
    inventory = Inventory("test", 1 << 62)
    marker = {
        "deleted_at_ns": None,
        "observed_at_ns": 1,
        "kind": "Namespace",
        "owner": None,
        "uid": "",
        "addresses": [],
    }
    inventory.load("Namespace//other", {**marker, "host_network": False})
    for key, record in stored.items():
        if record is not None:
            inventory.load(key, record)
    return inventory


def test_the_first_listing_of_an_empty_topic_tells_nothing() -> None:
    inventory = Inventory("test", 900)
    assert _told(inventory.replace([_deployment((1, "x"), 1, 1)], _NOW)) == []
    assert len(_told(inventory.replace([_deployment((2, "x"), 2, 1)], _NOW + 1))) == 1


def test_what_was_made_before_the_topic_was_written_last_is_not_new() -> None:
    first = Inventory("test", 900)
    old = _deployment((1, "x"), 1, 1)
    (update,) = first.replace([network_policy("deny", {})], _NOW)
    second = Inventory("test", 900)
    second.load(update.key, {**update.record, "observed_at_ns": _NOW} if update.record else None)
    assert _told(second.replace([network_policy("deny", {}), old], _NOW + 1)) == []


def test_a_record_fits_its_schema_and_says_what_happened_in_one_line() -> None:
    inventory = Inventory("test", 900)
    inventory.replace([], _NOW)
    inventory.apply(_deployment((1, "x:1"), 1, 1), _NOW + 1)
    told = _told(inventory.apply(_deployment((3, "x:2"), 2, 1), _NOW + 2))
    assert [_CODEC.decode(_CODEC.encode(change)) for change in told] == told
    assert [change["summary"] for change in told] == [
        "Deployment shop/web rolled out: x:1 → x:2",
        "Deployment shop/web scaled: 1 replicas → 3 replicas",
    ]
    assert {(change["at_ns"], change["uid"], change["api_group"]) for change in told} == {(_NOW + 2, "u1", "apps")}
    assert len({change["id"] for change in told}) == 2
