"""Flows are told apart by time where their sockets are the same, as ports are given out again."""

from datetime import UTC, datetime

from tests.support.observed import Document
from tests.support.parts import SECOND
from tests.support.truth import Truth, counted_once

_AT = 1_795_927_382 * SECOND


def _fact(start: float, seconds: float = 0.001, protocol: str = "tcp", outcome: str = "answered") -> Document:
    at_ns = _AT + int(start * SECOND)
    return {
        "protocol": protocol,
        "outcome": outcome,
        "source_address": "10.244.2.10",
        "source_port": 59847,
        "dialled_address": "10.96.0.11",
        "dialled_port": 80,
        "started_at_ns": at_ns,
        "ended_at_ns": at_ns + int(seconds * SECOND),
    }


def _document(start: float, end: float, protocol: str = "tcp") -> Document:
    stamps = [datetime.fromtimestamp((_AT + at * SECOND) / SECOND, UTC).isoformat() for at in (start, end)]
    return {
        "network": {"transport": protocol},
        "source": {"ip": "10.244.2.10", "port": 59847},
        "destination": {"ip": "10.244.1.11", "port": 8443, "service": {"ip": "10.96.0.11"}},
        "event": {"start": stamps[0], "end": stamps[1]},
    }


def test_a_port_given_out_again_within_a_second_is_two_connections() -> None:
    facts = [_fact(0.1), _fact(0.8, 0.3)]
    truth = Truth(facts, {"first": [_document(0.1, 0.2)], "second": [_document(0.8, 0.9)]})
    assert [truth.flows_of(fact) for fact in facts] == [{"first"}, {"second"}]


def test_one_connection_in_two_flows_is_found_twice() -> None:
    truth = Truth([_fact(0.1)], {"first": [_document(0.1, 0.2)], "second": [_document(0.3, 0.4)]})
    assert truth.flows_of(_fact(0.1)) == {"first", "second"}


def test_what_a_later_step_tells_of_a_flow_does_not_make_it_another_connection() -> None:
    facts = [_fact(0.1), _fact(2.2)]
    truth = Truth(facts, {"first": [_document(0.1, 0.2), _document(2.0, 2.1)], "second": [_document(2.2, 2.3)]})
    assert [truth.flows_of(fact) for fact in facts] == [{"first"}, {"second"}]


def test_a_flow_of_another_time_is_not_found() -> None:
    assert not Truth([_fact(0.1)], {"later": [_document(30, 31)]}).flows_of(_fact(0.1))


def test_a_datagram_socket_that_got_its_port_again_goes_on_in_the_kernels_entry() -> None:
    facts = [_fact(0.1, protocol="udp"), _fact(9.2, protocol="udp")]
    truth = Truth(facts, {"both": [_document(0.1, 2, "udp"), _document(8, 9.3, "udp")]})
    assert [truth.flows_of(fact) for fact in facts] == [{"both"}, {"both"}]


def test_a_client_that_nobody_answers_and_that_gets_its_port_again_is_one_flow() -> None:
    facts = [_fact(0.1, 1.6, outcome="timeout"), _fact(40.1, 1.6, outcome="timeout")]
    truth = Truth(facts, {"both": [_document(0.1, 2), _document(40, 41.2)]})
    assert [truth.flows_of(fact) for fact in facts] == [{"both"}, {"both"}]


def test_what_is_one_flow_is_counted_once() -> None:
    silent = [_fact(0.1, outcome="timeout"), _fact(3.8, outcome="timeout")]
    answered = [_fact(9), _fact(12)]
    assert counted_once([*silent, *answered]) == [silent[1], *answered]
