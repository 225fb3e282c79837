"""Ports as ranges."""

from hypothesis import given
from hypothesis import strategies as st

from conntrail.policy.recommend.port import MAXIMUM_SPANS, Span, spans

PORTS = st.sets(st.tuples(st.sampled_from(["TCP", "UDP"]), st.integers(1, 65535)), max_size=60)


def test_few_ports_are_named_each_and_neighbours_are_a_range() -> None:
    assert spans([("TCP", 80), ("TCP", 443), ("UDP", 53), ("TCP", 81)]) == (
        Span("TCP", 80, 81),
        Span("TCP", 443, 443),
        Span("UDP", 53, 53),
    )


def test_ephemeral_ports_are_all_those_above_and_the_fixed_ones_stay() -> None:
    ports = [("TCP", 21), *(("TCP", number) for number in (40001, 45003, 50007))]
    assert spans(ports, frozenset({"TCP"})) == (Span("TCP", 21, 21), Span("TCP", 32768, 65535))
    assert spans([("TCP", 21)], frozenset({"TCP"})) == (Span("TCP", 21, 21),)


def test_too_many_ports_close_their_smallest_gaps_first() -> None:
    found = spans([*(("TCP", 1000 + 2 * number) for number in range(30)), ("TCP", 9000)])
    assert Span("TCP", 9000, 9000) in found
    assert len(found) <= MAXIMUM_SPANS


def test_a_protocol_without_ports_has_none() -> None:
    assert spans([("ICMP", 0)]) == (Span("ICMP", 0, 0),)


@given(PORTS, st.sampled_from([frozenset(), frozenset({"TCP"})]))
def test_every_port_is_in_a_range_and_there_are_few(ports: set[tuple[str, int]], ephemeral: frozenset[str]) -> None:
    found = spans(ports, ephemeral)
    for protocol, port in ports:
        assert any(span.protocol == protocol and span.first <= port <= span.last for span in found)
    for protocol in ("TCP", "UDP"):
        assert sum(span.protocol == protocol for span in found) <= MAXIMUM_SPANS


@given(st.sets(st.integers(1, 30000), max_size=MAXIMUM_SPANS))
def test_up_to_the_bound_no_port_is_added(ports: set[int]) -> None:
    found = spans(("TCP", port) for port in ports)
    assert {port for span in found for port in range(span.first, span.last + 1)} == ports
