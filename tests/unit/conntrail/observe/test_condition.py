from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conntrail.observe.condition import AnyCondition, FilterError, matches, query
from conntrail.observe.selection import EndSelection, flow_conditions
from tests.unit.conntrail.observe.documents import Document, answers, document
from tests.unit.conntrail.observe.view.documents import audit, dns, event, http

OUTSIDE = document(source__kubernetes=None, source__ip="198.51.100.9", related__ip=["198.51.100.9", "10.0.1.7"])


def is_found(conditions: Sequence[AnyCondition], of: Document) -> bool:
    """By the condition and by its query, which must agree."""
    found = matches(conditions, of)
    assert answers(query(conditions, None, None), of) == found
    return found


def selected(of: Document, end: str = "any", **values: str | list[str]) -> bool:
    lists = {name: [value] if isinstance(value, str) else value for name, value in values.items()}
    return is_found(EndSelection(end, **lists).conditions(), of)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"namespaces": "shop"}, True), ({"namespaces": "sho"}, False), ({"namespaces": "sh*"}, True),
        ({"namespaces": ["data", "shop"]}, True), ({"namespaces": "Shop"}, False),
        ({"pods": "client-1"}, True), ({"pods": "shop/client-1"}, True), ({"pods": "data/client-1"}, False),
        ({"pods": "s*/cl*"}, True), ({"pods": "*/web-1"}, True), ({"pods": "web"}, False), ({"pods": "*"}, True),
        ({"workloads": "client"}, True), ({"workloads": "shop/web"}, True), ({"workloads": "shop/"}, False),
        ({"services": "web"}, True), ({"services": "shop/web"}, True), ({"services": "data/web"}, False),
        ({"ports": "8080"}, True), ({"ports": "08080"}, True), ({"ports": "80"}, False),
        ({"networks": "10.0.0.1"}, True), ({"networks": "10.0.0.0/8"}, True), ({"networks": "10.0.0.9/24"}, True),
        ({"networks": "10.0.0.2"}, False), ({"networks": "fd00::/16"}, True), ({"networks": "fd00:0::2"}, True),
        ({"networks": "192.0.2.1"}, True), ({"networks": "10.96.0.1"}, True),
        ({"namespaces": "shop", "pods": "web-1", "ports": "8080"}, True),
        ({"namespaces": "shop", "pods": "web-1", "ports": "1"}, False),
    ],
)  # fmt: skip
def test_either_end_is_selected(values: dict[str, Any], expected: bool) -> None:
    assert selected(document(), **values) is expected


def test_one_end_is_selected_alone() -> None:
    assert selected(document(), "source", pods="client-1")
    assert not selected(document(), "destination", pods="client-1")
    assert selected(document(), "destination", networks="fd00::2")
    assert not selected(document(), "source", networks="fd00::2")
    assert selected(document(), "destination", services="web")
    assert not selected(document(), "source", services="web")
    assert not selected(document(), "source", ports="8080")


def test_an_embedded_address_is_the_ipv4_address() -> None:
    of = document(related__ip=["::ffff:10.0.0.1"])
    assert selected(of, networks="10.0.0.0/8")
    assert selected(of, networks="::ffff:10.0.0.1")
    assert not selected(of, networks="::/0")


def test_namespace_and_name_are_those_of_one_end() -> None:
    of = document(source__kubernetes__namespace="data")
    assert not selected(of, pods="data/web-1")
    assert selected(of, pods=["data/web-1", "data/client-1"])


def test_an_end_outside_the_cluster_has_no_names() -> None:
    assert not selected(OUTSIDE, "source", pods="*")
    assert not selected(OUTSIDE, "source", namespaces="*")
    assert selected(OUTSIDE, "source", networks="198.51.100.0/24")


@pytest.mark.parametrize(
    "name", ["we?-1", "[w]eb-1", "web-[0-9]", "web\\-1", "w.b-1", "web-1\n", "we?*", "[w]*", "\\w*"]
)
def test_only_the_asterisk_stands_for_something_else(name: str) -> None:
    assert not selected(document(), pods=name)
    assert selected(document(destination__kubernetes__pod={"name": name}), pods=name)


@pytest.mark.parametrize(
    ("network", "address", "expected"),
    [
        ("::/0", "10.0.0.1", False), ("::/0", "fd00::1", True), ("::/0", "::1", True), ("0.0.0.0/0", "fd00::1", False),
        ("0.0.0.0/0", "10.0.0.1", True), ("::ffff:10.0.0.1", "10.0.0.1", True),
        ("::ffff:10.0.0.0/104", "10.9.9.9", True),
        ("::ffff:0:0/96", "fd00::1", False), ("::/80", "10.0.0.1", False), ("::/80", "::2", True),
    ],
)  # fmt: skip
def test_ipv4_addresses_are_none_of_ipv6(network: str, address: str, expected: bool) -> None:
    assert selected(document(source__ip=address), "source", networks=network) is expected


@pytest.mark.parametrize(
    ("verdicts", "protocols", "expected"),
    [
        ([], [], True), (["allowed"], [], True), (["denied"], [], False), (["denied", "allowed"], [], True),
        ([], ["tcp"], True), ([], ["TCP"], True), ([], ["udp"], False), ([], ["udp", "6"], True), ([], ["http"], True),
        ([], ["dns"], False), (["denied"], ["tcp"], False),
    ],
)  # fmt: skip
def test_the_flow_as_a_whole_is_selected(verdicts: list[str], protocols: list[str], expected: bool) -> None:
    assert is_found(flow_conditions(verdicts, protocols), document(network__protocol="http")) is expected


def test_nothing_asked_selects_everything() -> None:
    assert EndSelection("any").conditions() == []
    assert is_found([], document())


@pytest.mark.parametrize("value", ["10.0.0.256", "web", "", "10.0.0.0/33", "10.*", "fe80::1%eth0/64", "/8"])
def test_what_is_no_network_is_named(value: str) -> None:
    with pytest.raises(FilterError, match="is no address or network, such as"):
        EndSelection("any", networks=[value]).conditions()


@pytest.mark.parametrize("value", ["http", "65536", "-1", "", "80*", "٨٠"])
def test_what_is_no_port_is_named(value: str) -> None:
    with pytest.raises(FilterError, match="expected a number up to 65535"):
        EndSelection("any", ports=[value]).conditions()


def test_what_is_no_verdict_is_named() -> None:
    with pytest.raises(FilterError, match="--verdict dropped: expected allowed, denied, failed"):
        flow_conditions(["denied", "dropped"], [])


def test_a_span_of_time_is_asked_for_in_milliseconds() -> None:
    assert query([], 5, None) == {"bool": {"filter": [{"range": {"@timestamp": {"gte": 5, "format": "epoch_millis"}}}]}}
    assert query([], 0, 9)["bool"]["filter"][0]["range"]["@timestamp"] == {
        "gte": 0, "lte": 9, "format": "epoch_millis",
    }  # fmt: skip
    assert query([], None, None) == {"bool": {"filter": []}}


TEXT = st.text("ab*?\\[]./-", max_size=5)
ADDRESSES = st.ip_addresses().map(str) | st.sampled_from(["10.0.0.1", "::ffff:10.0.0.1", "::1", "fd00::2"])
NETWORKS = ADDRESSES | st.builds("{}/{}".format, ADDRESSES, st.integers(0, 32))


@given(st.lists(TEXT, min_size=1, max_size=3), TEXT, TEXT, st.sampled_from(["any", "source", "destination"]))
def test_a_live_filter_and_its_query_find_the_same(values: list[str], namespace: str, name: str, end: str) -> None:
    of = document(destination__kubernetes={"namespace": namespace, "pod": {"name": name}, "service": {"name": name}})
    for kind in ("namespaces", "pods", "services"):
        selected(of, end, **{kind: values})


@given(st.lists(NETWORKS, min_size=1, max_size=3), st.lists(ADDRESSES, max_size=3))
def test_a_live_filter_and_its_query_find_the_same_addresses(networks: list[str], addresses: list[str]) -> None:
    selected(document(related__ip=addresses), networks=networks)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"namespaces": ["shop"]}, True),
        ({"namespaces": ["data"]}, False),
        ({"pods": ["shop/web-*"]}, True),
        ({"workloads": ["shop/web"]}, True),
        ({"workloads": ["web"], "namespaces": ["shop"]}, True),
        ({"workloads": ["data/web"]}, False),
    ],
)
def test_what_is_asked_of_any_end_is_asked_of_what_an_event_is_about(
    values: dict[str, list[str]], expected: bool
) -> None:
    assert is_found(EndSelection("any", **values).conditions(), event()) is expected
    assert is_found(EndSelection("source", **values).conditions(), event()) is False


def test_dns_and_http_are_asked_for_as_flows_are() -> None:
    for document_of_type in (dns(), http()):
        assert is_found(EndSelection("source", workloads=["shop/web"]).conditions(), document_of_type)
        assert is_found(EndSelection("destination", pods=["kube-system/dns-1"]).conditions(), document_of_type)
        assert is_found(EndSelection("any", ports=["53"], networks=["10.96.0.0/16"]).conditions(), document_of_type)
        assert not is_found(EndSelection("source", workloads=["shop/api"]).conditions(), document_of_type)
    assert is_found(flow_conditions([], ["http"]), http())
    assert not is_found(flow_conditions([], ["http"]), dns())


@pytest.mark.parametrize(
    ("workload", "expected"),
    [("shop/api", True), ("api", True), ("a*", True), ("shop/a*", True), ("data/api", False), ("pi", False)],
)
def test_what_touches_a_workload_is_found_by_it(workload: str, expected: bool) -> None:
    assert is_found(EndSelection("any", workloads=[workload]).conditions(), audit()) is expected
