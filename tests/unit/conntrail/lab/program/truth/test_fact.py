"""Lines of the truth: one a fact, connections told at once from what was said on them."""

import json
from dataclasses import replace

import pytest

from conntrail.lab.program.task import Order, Task, order_of
from conntrail.lab.program.truth.fact import (
    CONNECTION_START,
    Connection,
    DnsExchange,
    Ends,
    Fact,
    HttpExchange,
    TlsHello,
    line,
)

TASK = Task("http", "10.96.0.11", 80, 1.0, resolve="payment", paths=("/a", "/b"), servers=("shop/payment-1",))
RESOLVER = Task("dns", "10.96.0.15", 53, 1.0)
ORDER = Order("shop", "web-1", "uid-1", "web", "10.244.1.10", "fd00:244:1::10", 5.0, "truth", RESOLVER, (TASK,))
ENDS = Ends("tcp", "10.244.1.10", 40000, "10.96.0.11", 80)
CONNECTION = Connection(ENDS, "shop/payment", ("shop/payment-1",), "allowed", "", "", "payment", 1, 2, 3, 4, "answered")
FACTS: list[Fact] = [
    CONNECTION,
    DnsExchange(ENDS, '{"layer": "connection"', "A", "NOERROR", ("10.96.0.11",), False, 90, 1),
    HttpExchange(ENDS, "GET", "payment", "/orders/7", "/orders/{id}", "lab", "r", "t", 200, 90, 1),
    TlsHello(ENDS, "payment", ("h2",), "", "TLSv1.3", 1),
]


def test_a_line_has_the_client_the_ends_and_the_family() -> None:
    found = json.loads(line(ORDER, CONNECTION))
    assert found["client"] == {"namespace": "shop", "pod": "web-1", "uid": "uid-1", "workload": "web"}
    assert (found["family"], found["protocol"], found["source_port"]) == ("ipv4", "tcp", 40000)
    assert found["servers"] == ["shop/payment-1"]
    six = replace(CONNECTION, ends=replace(ENDS, dialled_address="fd00:96::11"))
    assert json.loads(line(ORDER, six))["family"] == "ipv6"


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.layer)
def test_only_connections_begin_as_connections_do(fact: Fact) -> None:
    text = line(ORDER, fact)
    assert text.endswith(b"}\n")
    assert text.count(b"\n") == 1
    assert json.loads(text)["layer"] == fact.layer
    assert text.count(CONNECTION_START) == (fact.layer == "connection")


def test_an_order_comes_through_json_as_it_is() -> None:
    assert order_of(json.loads(json.dumps(ORDER.document()))) == ORDER
