import numpy as np
import polars as pl
import pytest

from streams.metadata.directory import Directory
from streams.metadata.endpoint import Endpoint
from tests.support.objects import (
    SECOND,
    builder_of,
    deleted,
    directory_of,
    endpoint_slice,
    held,
    key_of,
    namespace,
    node,
    pod,
    service,
)

FAMILIES = pytest.mark.parametrize("address", ["10.0.0.7", "fd00::7"])


def holder(directory: Directory, address: str, at: float, early: float = 0) -> Endpoint | None:
    numbers = directory.lookup.numbers(pl.Series([address]))
    found = directory.lookup.holders(numbers, np.array([int(at * SECOND)]), int(early * SECOND))[0]
    return None if found < 0 else directory.endpoints[found]


def name_at(directory: Directory, address: str, at: float, early: float = 0) -> str | None:
    endpoint = holder(directory, address, at, early)
    return None if endpoint is None else endpoint.name


@FAMILIES
def test_an_address_names_its_pod_from_assignment_to_release(address: str) -> None:
    directory = directory_of(pod("web", held(address, 10, 20)))
    assert [name_at(directory, address, at) for at in (9.9, 10, 19.9, 20)] == [None, "web", "web", None]


@FAMILIES
def test_a_reused_address_names_the_pod_of_the_time(address: str) -> None:
    directory = directory_of(pod("old", held(address, 10, 20.5)), pod("new", held(address, 20.5)))
    assert [name_at(directory, address, at) for at in (20.4, 20.5, 99)] == ["old", "new", "new"]


@FAMILIES
def test_of_overlapping_claims_the_latest_assigned_wins_for_good(address: str) -> None:
    old = pod("old", held(address, 10))
    new = pod("new", held(address, 20, 30))
    relabelled = pod("old", held(address, 10), observed=25, labels={"a": "b"})
    for records in ((old, new, relabelled), (new, relabelled, old), (relabelled, old, new)):
        directory = directory_of(*records)
        assert [name_at(directory, address, at) for at in (19, 20, 26, 31)] == ["old", "new", "new", None]


def test_two_assignments_in_one_instant_go_to_the_pod_seen_later() -> None:
    first = pod("first", held("10.0.0.7", 10), observed=10)
    second = pod("second", held("10.0.0.7", 10), observed=10.5)
    assert name_at(directory_of(first, second), "10.0.0.7", 11) == "second"
    assert name_at(directory_of(second, first), "10.0.0.7", 11) == "second"


def test_a_deleted_pod_releases_what_its_record_does_not_say_to_be_released() -> None:
    web = pod("web", "10.0.0.7")
    directory = directory_of(web, deleted(web, at=30))
    assert [name_at(directory, "10.0.0.7", at) for at in (29, 30)] == ["web", None]


def test_a_finished_pod_holds_no_address() -> None:
    job = pod("job", "10.0.0.7")
    directory = directory_of(job, {**job, "phase": "Succeeded", "observed_at_ns": 30 * SECOND})
    assert [name_at(directory, "10.0.0.7", at) for at in (29, 30)] == ["job", None]


def test_a_tombstone_keeps_the_pod_for_flows_of_its_time() -> None:
    web = pod("web", "10.0.0.7")
    builder = builder_of(web, deleted(web, at=30))
    builder.apply(key_of(web), None)
    assert name_at(builder.directory(3), "10.0.0.7", 29) == "web"


def test_a_tombstone_without_a_deletion_ends_what_it_names() -> None:
    web, later = pod("web", "10.0.0.7"), pod("later", observed=40)
    builder = builder_of(web, later, service("shop", "10.96.0.1"))
    builder.apply(key_of(web), None)
    builder.apply("Service/shop/shop", None)
    directory = builder.directory(4)
    assert [name_at(directory, "10.0.0.7", at) for at in (39, 41)] == ["web", None]
    assert directory.service_claims["valid_to_ns"].to_list() == [40 * SECOND]


def test_a_pod_made_again_under_its_name_is_another_pod() -> None:
    old = pod("web-0", "10.0.0.7", uid="one")
    new = pod("web-0", "10.0.0.8", uid="two", observed=20, created=20)
    directory = directory_of(old, new)
    ends = [holder(directory, "10.0.0.7", 19), holder(directory, "10.0.0.7", 21), holder(directory, "10.0.0.8", 21)]
    assert [end and end.uid for end in ends] == ["one", None, "two"]


def test_a_pod_on_the_nodes_network_leaves_the_address_to_the_node() -> None:
    directory = directory_of(node("node1", "192.168.0.1"), pod("proxy", "192.168.0.1", host_network=True))
    endpoint = holder(directory, "192.168.0.1", 5)
    assert endpoint is not None
    assert (endpoint.kind, endpoint.name, endpoint.node_name) == ("node", "node1", "node1")


def test_an_address_that_a_node_lost_is_free() -> None:
    before, after = node("node1", "192.168.0.1"), node("node1", "192.168.0.2", observed=50)
    for records in ((before, after), (after, before)):
        directory = directory_of(*records)
        assert [name_at(directory, "192.168.0.1", at) for at in (49, 51)] == ["node1", None]


def test_new_labels_are_a_new_state_with_a_time_of_its_own() -> None:
    before = pod("web", held("10.0.0.7", 10), observed=10, labels={"app": "a"})
    after = {**before, "labels": {"app": "b"}, "observed_at_ns": 30 * SECOND}
    for records in ((before, after), (after, before)):
        directory = directory_of(*records)
        states = [holder(directory, "10.0.0.7", at) for at in (10, 29, 30)]
        assert [state and dict(state.labels) for state in states] == [{"app": "a"}, {"app": "a"}, {"app": "b"}]


def test_new_labels_of_a_namespace_are_a_new_state_of_its_pods() -> None:
    records = (pod("web", "10.0.0.7"), namespace("shop", {"env": "a"}), namespace("shop", {"env": "b"}, observed=30))
    for order in (records, records[::-1]):
        directory = directory_of(*order)
        states = [holder(directory, "10.0.0.7", at) for at in (5, 30)]
        assert [state and dict(state.namespace_labels) for state in states] == [{"env": "a"}, {"env": "b"}]


def test_readiness_is_no_new_state() -> None:
    web = pod("web", "10.0.0.7")
    directory = directory_of(web, {**web, "is_ready": True, "observed_at_ns": 9 * SECOND})
    assert len(directory.endpoints) == 1


def test_an_amended_workload_replaces_the_state_that_it_amends() -> None:
    web = pod("web", "10.0.0.7", workload={"kind": "ReplicaSet", "name": "web-1"})
    directory = directory_of(web, {**web, "workload": {"kind": "Deployment", "name": "web"}})
    endpoint = holder(directory, "10.0.0.7", 0)
    assert endpoint is not None
    assert endpoint.workload_kind == "Deployment"


def test_a_pod_has_its_node_from_its_beginning() -> None:
    waiting = pod("web", node="", observed=10)
    placed = pod("web", held("10.0.0.7", 10), observed=13)
    endpoint = holder(directory_of(waiting, placed), "10.0.0.7", 11)
    assert endpoint is not None
    assert endpoint.node_name == "node1"


def test_who_gets_an_address_soon_had_it_only_when_nobody_else_did() -> None:
    directory = directory_of(pod("old", held("10.0.0.7", 10, 20)), pod("new", held("10.0.0.7", 23)))
    assert name_at(directory, "10.0.0.7", 19.9, early=5) == "old"
    assert name_at(directory, "10.0.0.7", 20.5, early=2) is None
    assert name_at(directory, "10.0.0.7", 21, early=2) == "new"
    assert name_at(directory, "10.0.0.7", 8, early=2) == "old"


def test_an_index_means_the_same_in_every_later_directory() -> None:
    web = pod("web", "10.0.0.7", labels={"a": "1"})
    builder = builder_of(web)
    first = builder.directory(1).endpoints
    for record in (
        pod("other", "10.0.0.8"),
        {**web, "labels": {"a": "2"}, "observed_at_ns": 9 * SECOND},
        namespace("shop", {}, observed=1),
        deleted(web, at=40),
    ):
        builder.apply(key_of(record), record)
    assert builder.directory(5).endpoints[0] == first[0]


def test_what_ended_before_any_flow_is_forgotten_and_the_living_stay() -> None:
    gone, web = pod("gone", "10.0.0.7"), pod("web", "10.0.0.8", labels={"a": "0"})
    states = [{**web, "labels": {"a": str(n)}, "observed_at_ns": n * SECOND} for n in range(1, 9)]
    builder = builder_of(gone, deleted(gone, at=5), web, *states)
    builder.directory(1)
    builder.forget_before(7 * SECOND)
    directory = builder.directory(2)
    assert name_at(directory, "10.0.0.7", 4) is None
    labels = [end and end.labels["a"] for end in (holder(directory, "10.0.0.8", at) for at in (1, 7.5, 8))]
    assert labels == ["7", "7", "8"]


def test_churn_fills_no_memory() -> None:
    builder = builder_of()
    for turn in range(2_000):
        web = pod(f"web-{turn}", f"10.0.0.{turn % 200}", uid=f"uid-{turn}", observed=turn, created=turn)
        for record in (web, deleted(web, at=turn + 1), service("shop", "10.96.0.1", uid=f"s-{turn}", observed=turn)):
            builder.apply(key_of(record), record)
        if turn % 100 == 0:
            builder.forget_before((turn - 100) * SECOND)
    directory = builder.directory(1)
    assert len(directory.endpoints) < 600
    assert len(directory.services) < 600
    assert directory.claims.height < 300


def test_labels_that_flap_fill_no_memory() -> None:
    web = pod("web", "10.0.0.7")
    builder = builder_of(*({**web, "labels": {"n": str(n)}, "observed_at_ns": n * SECOND} for n in range(2_000)))
    endpoint = holder(builder.directory(1), "10.0.0.7", 5_000)
    assert endpoint is not None
    assert endpoint.labels == {"n": "1999"}
    assert len(builder.directory(1).endpoints) < 300


def test_a_pod_knows_the_services_that_lead_to_it() -> None:
    web = pod("web", "10.0.0.7")
    builder = builder_of(web, endpoint_slice("a-1", "a", "web"), endpoint_slice("b-1", "b", "web", "other"))
    assert builder.directory(3).endpoints[0].services == ("a", "b")
    without = endpoint_slice("b-1", "b", "other")
    builder.apply(key_of(without), without)
    assert builder.directory(4).endpoints[0].services == ("a",)
    builder.apply(key_of(web), deleted(web, at=9))
    builder.apply("EndpointSlice/shop/a-1", None)
    assert builder.directory(6).endpoints[0].services == ("a",)


def test_addresses_are_compared_in_one_form_and_garbage_is_passed_over() -> None:
    directory = directory_of(pod("web", "FD00:0::7", "no address"), service("shop", "fd00:96::0:1", "None"))
    assert name_at(directory, "fd00::7", 1) == "web"
    assert directory.service_claims["address"].to_list() == ["fd00:96::1"]


def test_records_may_come_again_and_out_of_order() -> None:
    web = pod("web", held("10.0.0.7", 10), observed=10, labels={"v": "1"})
    records = [
        web,
        {**web, "labels": {"v": "2"}, "observed_at_ns": 20 * SECOND},
        deleted({**web, "labels": {"v": "2"}}, at=30),
    ]
    expected = directory_of(*records).claims.drop("index")
    for order in ([2, 1, 0], [1, 0, 2], [0, 2, 1, 0, 2], [2, 0, 1]):
        assert directory_of(*(records[number] for number in order)).claims.drop("index").equals(expected)


def test_the_directory_is_made_once_while_nothing_changes() -> None:
    builder = builder_of(pod("web", "10.0.0.7"))
    assert builder.directory(1) is builder.directory(1)
    assert builder.directory(2).version == 2


def test_an_empty_directory_knows_nobody() -> None:
    assert name_at(directory_of(), "10.0.0.7", 1) is None
