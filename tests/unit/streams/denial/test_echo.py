"""A refusal that every node on its way sees is told by one of them, and not beside a rejection."""

import pytest

from streams.denial.evaluate import evaluate, is_echo
from tests.support.parts import batch, part
from tests.unit.streams.denial.builders import FAMILIES, Row, denied, names_of, policy, records

REFUSED = {"evidence": "confirmed", "end_reason": "reset"}


def echoes(node: str, row: Row, *, with_policy: bool = False) -> list[bool]:
    names = names_of(*([policy()] if with_policy else []))
    return is_echo(evaluate(part(batch(node), [row]).rows, names).rows).to_list()


@pytest.mark.parametrize(("client", "server", "service"), FAMILIES)
def test_the_clients_node_tells_and_no_other(client: str, server: str, service: str) -> None:
    row = denied(client, server, service, **REFUSED)
    told = [node for node in ("node1", "node2", "edge") if echoes(node, row) == [False]]
    assert told == ["node1"]


def test_of_a_client_outside_the_servers_node_tells() -> None:
    row = denied("203.0.113.9", **REFUSED)
    told = [node for node in ("node1", "node2", "edge") if echoes(node, row) == [False]]
    assert told == ["node2"]


def test_what_policies_deny_is_told_by_the_node_that_rejected_it() -> None:
    assert echoes("node1", denied(**REFUSED), with_policy=True) == [True]
    assert echoes("node2", denied(evidence="reject"), with_policy=True) == [False]


def test_a_refusal_failed_and_says_why() -> None:
    [made] = records(names_of(), denied(**REFUSED, begun=5), of=batch("node1", start=99, end=102))
    assert (made["event"]["action"], made["event"]["reason"]) == ("failed", "refused: reset by the destination")
    assert (made["evidence"], made["policy"]["drift"]) == (["confirmed", "unreplied"], False)
    assert (made["count"], made["begun"]) == (2, 5)


def test_a_refusal_waits_for_no_policy() -> None:
    assert evaluate(part(batch("node1"), [denied(**REFUSED)]).rows, names_of()).is_open.to_list() == [False]
