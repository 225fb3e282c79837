"""Exchanges of namespaces that nobody wants are dropped and counted."""

import pytest

from streams.exchange.evaluate import evaluate_part
from streams.exchange.report import Reports
from tests.support.objects import directory_of, node, pod
from tests.support.parts import batch, part
from tests.unit.streams.exchange.builders import asked

DIRECTORY = directory_of(
    node("node1", "192.168.0.1", networks=("10.0.1.0/24",)),
    pod("shop", "10.0.1.7", namespace="shop", node="node1"),
    pod("data", "10.0.1.8", namespace="data", node="node1"),
    pod("resolver", "10.0.1.9", namespace="kube-system", node="node1"),
)
ROWS = [
    asked("10.0.1.7", "10.0.1.9", count=1),
    asked("10.0.1.8", "10.0.1.9", count=2),
    asked("10.0.1.7", "203.0.113.9", count=4),
    asked("203.0.113.8", "203.0.113.9", count=8),
]


@pytest.mark.parametrize(
    ("namespaces", "kept"),
    [
        ((), [1, 2, 4, 8]),
        (("shop",), [1, 4]),
        (("sh?p", "da*"), [1, 2, 4]),
        (("kube-system",), [1, 2]),
        (("*",), [1, 2, 4]),
        (("Shop", "nowhere"), []),
    ],
)
def test_an_exchange_is_kept_for_either_end(namespaces: tuple[str, ...], kept: list[int]) -> None:
    rows = part(batch("node1"), ROWS, schema="dns_exchange").rows
    evaluation = evaluate_part(rows, Reports(), DIRECTORY, namespaces)
    assert evaluation.rows["count"].to_list() == kept
    assert evaluation.unwatched == 15 - sum(kept)
