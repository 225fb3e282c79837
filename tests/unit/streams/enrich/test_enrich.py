from typing import Any

import polars as pl
import pytest

from streams.enrich.enrich import ENRICHED, enrich
from tests.support.objects import SECOND, deleted, directory_of, held, node, pod, service
from tests.support.parts import NO_FLOWS, batch, part, raw_flow

CLUSTER = (
    node("node1", "192.168.0.1", "fd00:1::1", networks=["10.0.1.0/24", "fd00:10:1::/64"]),
    node("node2", "192.168.0.2", networks=["10.0.2.0/24"]),
    pod("web", "10.0.1.7", "fd00:10:1::7", node="node1"),
    pod("api", "10.0.2.8", "fd00:10:2::8", node="node2"),
    service("api", "10.96.0.1", "fd00:96::1", "203.0.113.9", port=80, node_port=30080),
)
Flow = dict[str, Any]


def flow(
    source: str, destination: str, *, dialled: str = "", nat: str = "", started: float = 100, **facts: Any
) -> Flow:
    """Ends as ``address port``."""
    ends = {
        "original_source": source,
        "original_destination": dialled or destination,
        "reply_source": destination,
        "reply_destination": nat or source,
    }
    parts = {name: end.split() for name, end in ends.items()}
    columns = {f"{name}_address": address for name, (address, _) in parts.items()}
    ports = {f"{name}_port": int(port) for name, (_, port) in parts.items()}
    return raw_flow(**columns, **ports, protocol=6, started_at_ns=int(started * SECOND), **facts)


def enriched(*flows: Flow, on: str = "node1", cluster: tuple[Any, ...] = CLUSTER) -> list[dict[str, Any]]:
    raw = part(batch(on), flows).rows
    return enrich(raw, directory_of(*cluster)).to_dicts()


def names(row: dict[str, Any], cluster: tuple[Any, ...] = CLUSTER) -> list[str | None]:
    endpoints = directory_of(*cluster).endpoints
    indices = (row["source_index"], row["destination_index"])
    return [None if index is None else endpoints[index].name for index in indices]


FAMILIES = pytest.mark.parametrize(
    ("web", "api", "service_address"),
    [("10.0.1.7", "10.0.2.8", "10.96.0.1"), ("fd00:10:1::7", "fd00:10:2::8", "fd00:96::1")],
)


@FAMILIES
def test_a_dialled_service_is_named_and_so_are_the_real_ends(web: str, api: str, service_address: str) -> None:
    (row,) = enriched(flow(f"{web} 4000", f"{api} 8080", dialled=f"{service_address} 80"))
    assert names(row) == ["web", "api"]
    assert (row["destination_address"], row["destination_port"]) == (api, 8080)
    assert (row["dialled_address"], row["dialled_port"]) == (service_address, 80)
    assert (row["nat_address"], row["nat_port"]) == (None, None)
    assert (row["service_index"], row["direction"], row["role"]) == (0, "internal", "source")


@FAMILIES
def test_a_pod_that_is_dialled_directly_is_no_service(web: str, api: str, service_address: str) -> None:
    (row,) = enriched(flow(f"{web} 4000", f"{api} 80"))
    assert service_address
    assert (row["service_index"], row["dialled_address"], row["dialled_port"]) == (None, None, None)


def test_a_service_without_endpoints_is_dialled_all_the_same() -> None:
    (row,) = enriched(flow("10.0.1.7 4000", "10.96.0.1 80"))
    assert (row["service_index"], row["destination_index"], row["direction"]) == (0, None, "internal")


def test_a_port_or_protocol_that_a_service_lacks_is_not_the_service() -> None:
    rows = enriched(
        flow("10.0.1.7 4000", "10.0.2.8 81", dialled="10.96.0.1 81"),
        {**flow("10.0.1.7 4000", "10.0.2.8 80", dialled="10.96.0.1 80"), "protocol": 17},
    )
    assert [row["service_index"] for row in rows] == [None, None]


def test_external_addresses_and_node_ports_are_the_service() -> None:
    rows = enriched(
        flow("198.51.100.4 4000", "10.0.2.8 8080", dialled="203.0.113.9 80"),
        flow("198.51.100.4 4000", "10.0.2.8 8080", dialled="192.168.0.2 30080", nat="192.168.0.1 61000"),
        flow("10.0.1.7 4000", "198.51.100.4 30080"),
        flow("10.0.1.7 4000", "10.0.2.8 30080"),
    )
    assert [row["service_index"] for row in rows] == [0, 0, None, None]
    assert [row["direction"] for row in rows] == ["inbound", "inbound", "outbound", "internal"]


def test_source_nat_keeps_the_source_and_tells_what_the_destination_saw() -> None:
    (row,) = enriched(flow("10.0.1.7 4000", "198.51.100.4 443", nat="192.168.0.1 61000"))
    assert names(row) == ["web", None]
    assert (row["source_address"], row["nat_address"], row["nat_port"]) == ("10.0.1.7", "192.168.0.1", 61000)
    assert (row["direction"], row["role"]) == ("outbound", "source")


def test_a_source_port_alone_that_was_translated_is_told_too() -> None:
    (row,) = enriched(flow("10.0.1.7 4000", "10.0.2.8 80", nat="10.0.1.7 61000"))
    assert (row["nat_address"], row["nat_port"]) == ("10.0.1.7", 61000)


def test_the_role_says_which_ends_live_on_the_reporting_node() -> None:
    flows = (
        flow("10.0.1.7 1", "192.168.0.1 2"),
        flow("10.0.1.7 1", "10.0.2.8 2"),
        flow("10.0.2.8 1", "fd00:1::1 2"),
        flow("10.0.2.8 1", "198.51.100.4 2"),
    )
    assert [row["role"] for row in enriched(*flows)] == ["both", "source", "destination", "none"]
    assert [row["role"] for row in enriched(*flows, on="node2")] == ["none", "destination", "source", "source"]


def test_an_address_of_a_pod_network_is_inside_though_nobody_has_it() -> None:
    rows = enriched(
        flow("10.0.1.200 1", "198.51.100.4 2"),
        flow("198.51.100.4 1", "fd00:10:1::99 2"),
        flow("10.0.2.77 1", "10.0.1.200 2"),
        flow("198.51.100.4 1", "198.51.100.5 2"),
    )
    assert [row["direction"] for row in rows] == ["outbound", "inbound", "internal", "external"]
    assert {row["source_index"] for row in rows} == {None}


@pytest.mark.parametrize("address", ["10.0.1.9", "fd00:10:1::9"])
def test_a_reused_address_gets_the_pod_that_held_it_at_the_start(address: str) -> None:
    old, new = pod("old", held(address, 10, 50)), pod("new", held(address, 50.5), observed=50.5)
    cluster = (*CLUSTER, old, deleted(old, at=50), new)
    starts = (10, 49.9, 50.2, 51, 5_000)
    rows = enriched(*(flow(f"{address} 1", "10.0.2.8 2", started=at) for at in starts), cluster=cluster)
    assert [names(row, cluster)[0] for row in rows] == ["old", "old", "new", "new", "new"]


def test_a_pod_seen_too_late_is_found_within_the_tolerance_only() -> None:
    cluster = (*CLUSTER, pod("late", held("10.0.1.9", 50), observed=50))
    starts = (47.9, 48, 49.9)
    rows = enriched(*(flow("10.0.1.9 1", "10.0.2.8 2", started=at) for at in starts), cluster=cluster)
    assert [names(row, cluster)[0] for row in rows] == [None, "late", "late"]
    raw = part(batch(), [flow("10.0.1.9 1", "10.0.2.8 2", started=49.9)]).rows
    assert enrich(raw, directory_of(*cluster), tolerance_ns=0)["source_index"].to_list() == [None]


def test_services_have_a_time_too() -> None:
    old = service("old", "10.96.0.7", created=10, observed=10)
    new = service("new", "10.96.0.7", created=60, observed=60)
    cluster = (*CLUSTER, old, deleted(old, at=50), new)
    services = directory_of(*cluster).services
    rows = enriched(
        *(flow("10.0.1.7 1", "10.0.2.8 2", dialled="10.96.0.7 80", started=at) for at in (5, 49, 55, 61)),
        cluster=cluster,
    )
    found = [row["service_index"] for row in rows]
    assert [None if index is None else services[index].name for index in found] == [None, "old", None, "new"]


def test_the_rows_keep_their_order_and_gain_the_columns_that_are_declared() -> None:
    flows = [flow(f"10.0.1.7 {port}", "10.0.2.8 2", flow_key=port) for port in (5, 3, 9, 1)]
    raw = part(batch(), flows).rows
    rows = enrich(raw, directory_of(*CLUSTER))
    assert rows["flow_key"].to_list() == [5, 3, 9, 1]
    assert dict(rows.schema) == {**raw.schema, **ENRICHED}


@pytest.mark.parametrize("cluster", [(), CLUSTER], ids=["unknown", "known"])
def test_no_rows_have_the_same_columns(cluster: tuple[Any, ...]) -> None:
    rows = enrich(NO_FLOWS, directory_of(*cluster))
    assert rows.height == 0
    assert dict(rows.schema) == {**NO_FLOWS.schema, **ENRICHED}


def test_nothing_is_known_of_an_empty_cluster() -> None:
    (row,) = enriched(flow("10.0.1.7 1", "10.0.2.8 2"), cluster=())
    assert [row[name] for name in ("source_index", "destination_index", "direction", "role")] == [
        None, None, "external", "none",
    ]  # fmt: skip


def test_text_that_is_no_address_is_outside() -> None:
    raw = pl.DataFrame([flow("'; 1", "x:y 2")], schema=NO_FLOWS.schema)
    (row,) = enrich(raw, directory_of(*CLUSTER)).to_dicts()
    assert (row["source_index"], row["direction"]) == (None, "external")
