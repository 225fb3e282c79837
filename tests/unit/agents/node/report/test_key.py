"""Both nodes of a connection must name it alike, whatever was translated on the way."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from agents.node.report.key import (
    destination_socket_keys,
    flow_keys,
    socket_keys,
    source_socket_keys,
)
from tests.unit.agents.node.report.builders import report, socket

_V4 = st.ip_addresses(v=4).map(str)
_V6 = st.ip_addresses(v=6).map(str)
_PORT = st.integers(1, 65535)


@st.composite
def _ends(draw: st.DrawFn) -> list[tuple[str, int]]:
    addresses = draw(st.sampled_from([_V4, _V6]))
    return [(draw(addresses), draw(_PORT)) for _ in range(4)]


@given(_ends(), st.booleans(), st.booleans(), st.sampled_from([6, 17, 132]), st.integers(0, 65535))
def test_both_nodes_give_a_connection_the_same_key(
    ends: list[tuple[str, int]], has_dnat: bool, has_snat: bool, protocol: int, zone: int
) -> None:
    pod, service, backend, node = ends
    answering = backend if has_dnat else service
    on_wire = node if has_snat else pod
    near = report(pod, service, answering, on_wire, protocol, zone=zone)
    far = report(on_wire, answering, protocol=protocol, zone=zone)
    assert flow_keys(near)[0] == flow_keys(far)[0]


@given(_ends())
def test_the_direction_does_not_change_the_key(ends: list[tuple[str, int]]) -> None:
    one, other = ends[:2]
    assert flow_keys(report(one, other))[0] == flow_keys(report(other, one))[0]


def test_protocol_zone_and_echo_identifier_tell_flows_apart() -> None:
    one, other = ("10.0.0.1", 0), ("10.0.0.2", 0)
    variants = [
        report(one, other, protocol=1),
        report(one, other, protocol=17),
        report(one, other, protocol=1, zone=1),
        report(one, other, protocol=1, icmp_id=7),
    ]
    assert len({int(flow_keys(row)[0]) for row in variants}) == len(variants)


def test_the_key_never_changes_between_releases() -> None:
    keys = flow_keys(np.concatenate([report(("10.0.0.1", 4000), ("10.0.0.2", 80)), report(("::1", 1), ("::2", 2))]))
    assert keys.tolist() == EXPECTED_KEYS


def test_keys_spread_evenly_over_partitions() -> None:
    rows = np.concatenate([report(("10.0.0.1", port), ("10.0.0.2", 80)) for port in range(1, 3001)])
    assert np.bincount(flow_keys(rows).view(np.uint64) % 6, minlength=6).min() > 400


@given(_ends())
def test_each_end_finds_its_own_socket(ends: list[tuple[str, int]]) -> None:
    pod, service, backend, node = ends
    row = report(pod, service, backend, node)
    assert source_socket_keys(row)[0] == socket_keys(socket(pod, service))[0]
    assert destination_socket_keys(row)[0] == socket_keys(socket(backend, node))[0]


EXPECTED_KEYS = [-5971887018118690633, -4973022039456294056]
