"""Objects against what the topic says: owners, deletions, tombstones, and nothing said twice."""

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from agents.cluster.inventory import Inventory, Update
from schemas.schema import read_schema
from schemas.single_object import SingleObjectCodec
from tests.support.kubernetes_objects import SECOND_NS, controller, network_policy, pod

_NOW = 1000 * SECOND_NS
_DELAY = 900 * SECOND_NS


def _inventory() -> Inventory:
    return Inventory("test", _DELAY)


def _records(changes: list[Update]) -> dict[str, dict[str, Any] | None]:
    return {change.key: change.record for change in changes}


def _record(changes: list[Update], key: str) -> dict[str, Any]:
    record = _records(changes)[key]
    assert record is not None
    return record


def test_a_pod_before_its_replica_set_is_published_and_amended() -> None:
    inventory = _inventory()
    first = inventory.apply(pod("web-1-a", owner=("ReplicaSet", "web-1"), started_at_ns=SECOND_NS), _NOW)
    assert _record(first, "Pod/default/web-1-a")["workload"] == {"kind": "ReplicaSet", "name": "web-1"}
    then = inventory.apply(controller("ReplicaSet", "web-1", owner=("Deployment", "web")), _NOW + 1)
    amended = _record(then, "Pod/default/web-1-a")
    assert amended["workload"] == {"kind": "Deployment", "name": "web"}
    assert amended["observed_at_ns"] == _record(first, "Pod/default/web-1-a")["observed_at_ns"]


def test_a_pod_keeps_its_workload_when_the_owners_go_first() -> None:
    inventory = _inventory()
    replicas = controller("ReplicaSet", "web-1", owner=("Deployment", "web"))
    inventory.apply(replicas, _NOW)
    inventory.apply(pod("a", owner=("ReplicaSet", "web-1")), _NOW)
    inventory.remove(replicas, _NOW + 1)
    inventory.expire(_NOW + 2 * _DELAY)
    changed = inventory.apply(pod("a", owner=("ReplicaSet", "web-1"), labels={"x": "y"}), _NOW + 2 * _DELAY)
    assert _record(changed, "Pod/default/a")["workload"] == {"kind": "Deployment", "name": "web"}


def test_chains_end_at_the_last_owner_that_is_known() -> None:
    inventory = _inventory()
    inventory.apply(controller("ReplicaSet", "canary-1", owner=("Rollout", "canary")), _NOW)
    inventory.apply(controller("Job", "tidy-1", owner=("CronJob", "tidy"), api_version="batch/v1"), _NOW)
    objects = [
        (pod("a", owner=("ReplicaSet", "canary-1")), {"kind": "Rollout", "name": "canary"}),
        (pod("b", owner=("Job", "tidy-1")), {"kind": "CronJob", "name": "tidy"}),
        (pod("bare"), {"kind": "Pod", "name": "bare"}),
        (pod("static-node1", owner=("Node", "node1")), {"kind": "Pod", "name": "static-node1"}),
    ]
    for value, workload in objects:
        (change,) = inventory.apply(value, _NOW)
        assert change.record is not None
        assert change.record["workload"] == workload


def test_a_deleted_pod_lets_go_at_once_and_its_key_goes_later() -> None:
    inventory = _inventory()
    value = pod("a", addresses=("10.0.0.1", "fd00::1"), started_at_ns=SECOND_NS)
    inventory.apply(value, _NOW)
    gone = _record(inventory.remove(value, _NOW + 5), "Pod/default/a")
    assert gone["deleted_at_ns"] == _NOW + 5
    assert {entry["released_at_ns"] for entry in gone["addresses"]} == {_NOW + 5}
    assert inventory.expire(_NOW + _DELAY) == []
    assert inventory.expire(_NOW + 5 + _DELAY) == [Update("Pod/default/a", None)]


def test_a_pod_that_ended_holds_its_address_until_its_last_container_finished() -> None:
    inventory = _inventory()
    inventory.apply(pod("a", addresses=("10.0.0.1",), started_at_ns=SECOND_NS), _NOW)
    ended = pod(
        "a", addresses=("10.0.0.1",), started_at_ns=SECOND_NS, phase="Succeeded", finished_at_ns=_NOW + 3 * SECOND_NS
    )
    record = _record(inventory.apply(ended, _NOW + 60 * SECOND_NS), "Pod/default/a")
    # finishedAt has whole seconds, cut off.
    assert record["addresses"][0]["released_at_ns"] == _NOW + 4 * SECOND_NS


def test_what_is_listed_again_unchanged_is_not_published_again() -> None:
    inventory = _inventory()
    objects = [pod("a", addresses=("10.0.0.1",)), controller("Deployment", "web"), network_policy("p", {"x": 1})]
    first = inventory.replace(objects, _NOW)
    again = _inventory()
    for change in first:
        again.load(change.key, change.record)
    assert again.replace(objects, _NOW + 99) == []


def test_what_vanished_while_nobody_looked_is_deleted_by_the_next_listing() -> None:
    inventory = _inventory()
    for change in _inventory().replace([pod("a"), pod("b")], _NOW):
        inventory.load(change.key, change.record)
    changes = inventory.replace([pod("a")], _NOW + 1)
    assert [change.key for change in changes] == ["Pod/default/b"]
    assert _record(changes, "Pod/default/b")["deleted_at_ns"] == _NOW + 1


def test_a_listing_of_one_kind_deletes_nothing_of_others() -> None:
    inventory = _inventory()
    inventory.replace([pod("a"), controller("Deployment", "web")], _NOW)
    changes = inventory.replace([], _NOW + 1, frozenset({"Pod"}))
    assert [change.key for change in changes] == ["Pod/default/a"]


def test_an_object_made_again_under_its_name_is_another() -> None:
    inventory = _inventory()
    inventory.apply(pod("a", uid="one", addresses=("10.0.0.1",), started_at_ns=SECOND_NS), _NOW)
    first, second = inventory.apply(pod("a", uid="two", started_at_ns=2 * SECOND_NS), _NOW + 1)
    assert first.record is not None
    assert second.record is not None
    assert (first.record["uid"], first.record["deleted_at_ns"]) == ("one", _NOW + 1)
    assert (second.record["uid"], second.record["deleted_at_ns"]) == ("two", None)


def test_a_pod_on_the_nodes_network_takes_no_address_from_others() -> None:
    inventory = _inventory()
    inventory.apply(pod("a", addresses=("10.0.0.1",), started_at_ns=SECOND_NS), _NOW)
    changes = inventory.apply(pod("b", addresses=("10.0.0.1",), host_network=True, started_at_ns=SECOND_NS), _NOW)
    assert [change.key for change in changes] == ["Pod/default/b"]


def test_hostile_values_still_make_a_record_that_fits_its_schema() -> None:
    codec = SingleObjectCodec(read_schema("kubernetes_object"))
    value = pod("a", addresses=("10.0.0.1", "no address", "10.0.0.1"))
    value["metadata"] |= {"generation": 2**80, "creationTimestamp": "9999-01-01T00:00:00Z", "labels": {"x": "\ud800"}}
    value["spec"]["containers"][0]["ports"] = [{"containerPort": 2**40}, "no port", None]
    policy = network_policy("p", {1: {"deep": [float("nan")]}, "x": {(1, 2): 3}})
    for change in _inventory().replace([value, policy, {"kind": ["x"]}, {}], _NOW):
        assert change.record is not None
        assert codec.decode(codec.encode(change.record))["name"] in ("a", "p")


_ACTS = ["run", "end", "delete", "relist", "restart", "wait"]
_EVENTS = st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(_ACTS), st.integers(1, 3)), max_size=40)


class _World:
    """Pods as the API has them, and all that was told of them; deletions are forgotten after 3 s."""

    def __init__(self) -> None:
        self.source: dict[str, Any] = {}
        self.topic: dict[str, Any] = {}
        self.told: dict[str, Any] = {}
        self._now = _NOW
        self._inventory = Inventory("test", 3 * SECOND_NS)

    def act(self, name: str, what: str, address: int) -> None:
        self._now += SECOND_NS
        for change in self._changes(name, what, address) + self._inventory.expire(self._now):
            self.topic[change.key] = change.record
            if change.record is not None:
                self.told[change.record["uid"]] = change.record

    def _changes(self, name: str, what: str, address: int) -> list[Update]:
        if what == "delete" and name in self.source:
            return self._inventory.remove(self.source.pop(name), self._now)
        if what in ("run", "end"):
            uid = self.source[name]["metadata"]["uid"] if name in self.source else f"{name}-{self._now}"
            phase = "Running" if what == "run" else "Succeeded"
            addresses = (f"10.0.0.{address}",)
            self.source[name] = pod(name, uid=uid, addresses=addresses, started_at_ns=self._now, phase=phase)
            return self._inventory.apply(self.source[name], self._now)
        if what == "restart":
            self._inventory = Inventory("test", 3 * SECOND_NS)
            for key, record in self.topic.items():
                self._inventory.load(key, record)
        return self._inventory.replace(self.source.values(), self._now) if what in ("relist", "restart") else []


@given(_EVENTS)
def test_the_topic_equals_the_source_after_any_sequence(events: list[tuple[str, str, int]]) -> None:
    world = _World()
    for event in events:
        world.act(*event)
    living = {record["name"]: record for record in world.topic.values() if record and record["deleted_at_ns"] is None}
    assert living.keys() == world.source.keys()
    assert all(living[name]["phase"] == value["status"]["phase"] for name, value in world.source.items())
    open_ended = [entry["address"] for record in living.values() for entry in _open(record)]
    assert len(open_ended) == len(set(open_ended))
    assert _overlaps(world.told.values()) == []


@given(_EVENTS)
def test_a_pod_that_runs_alone_on_its_address_has_it(events: list[tuple[str, str, int]]) -> None:
    world = _World()
    for name, what, address in events:
        others = [value for other, value in world.source.items() if other != name]
        # No network gives out an address that it has not got back.
        if what not in ("run", "end") or not any(_runs_on(value, address) for value in others):
            world.act(name, what, address)
    running = {name: value for name, value in world.source.items() if value["status"]["phase"] == "Running"}
    for name, value in running.items():
        record = world.topic[f"Pod/default/{name}"]
        assert [entry["address"] for entry in _open(record)] == [value["status"]["podIP"]]


def _runs_on(value: dict[str, Any], address: int) -> bool:
    status = value["status"]
    return bool(status["phase"] == "Running" and status["podIP"] == f"10.0.0.{address}")


def _open(record: dict[str, Any]) -> list[dict[str, Any]]:
    return [entry for entry in record["addresses"] if entry["released_at_ns"] is None]


def _overlaps(records: Iterable[dict[str, Any]]) -> list[str]:
    """Pods whose intervals of an address meet, by the last that was told of each."""
    holds = sorted(
        (entry["address"], entry["assigned_at_ns"], entry["released_at_ns"] or 2**63, record["uid"])
        for record in records
        for entry in record["addresses"]
    )
    return [
        f"{address}: {former}, {latter}"
        for (address, _, end, former), (other, start, _, latter) in pairwise(holds)
        if address == other and start < end
    ]


def test_policies_of_one_name_in_several_groups_come_and_go_apart() -> None:
    inventory = _inventory()
    ours = network_policy("p", {})
    theirs = {**ours, "apiVersion": "projectcalico.org/v3", "metadata": {**ours["metadata"], "uid": "theirs"}}
    assert _records([*inventory.apply(ours, _NOW), *inventory.apply(theirs, _NOW)]).keys() == {
        "NetworkPolicy/default/p",
        "NetworkPolicy.projectcalico.org/default/p",
    }
    assert inventory.count()["NetworkPolicy"] == inventory.count()["NetworkPolicy.projectcalico.org"] == 1
    assert inventory.replace([theirs], _NOW + 1, frozenset({"NetworkPolicy.projectcalico.org"})) == []
    gone = _record(inventory.replace([], _NOW + 1, frozenset({"NetworkPolicy"})), "NetworkPolicy/default/p")
    assert gone["deleted_at_ns"] == _NOW + 1
    assert inventory.count()["NetworkPolicy.projectcalico.org"] == 1


def test_an_extension_keeps_the_version_that_it_states() -> None:
    made = {**network_policy("p", {}), "apiVersion": "policy.networking.k8s.io/v9", "kind": "AdminNetworkPolicy"}
    records = _records(_inventory().apply(made, _NOW))
    assert [record and record["api_version"] for record in records.values()] == ["policy.networking.k8s.io/v9"]
