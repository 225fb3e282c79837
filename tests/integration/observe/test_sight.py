"""How complete an answer of ``conntrail observe`` is: what the nodes told, and whether all flows are kept."""

from typing import Any

import pytest

from schemas.topic import DNS, FLOWS, NODES
from tests.integration.observe.test_types import Place, at, place
from tests.support.index import ask
from tests.support.stack import RunningStack
from tests.unit.streams.index.builders import AT_NS, dns, flow, node_status

__all__ = ["place"]
pytestmark = pytest.mark.stack
_SECOND = 1_000_000_000
_SPAN = ("--utc", "--since", "2026-11-23T18:32:00.123Z", "--until", "2026-11-23T18:33:40.123Z")


def _told(node: str, begun: int, ended: int, coverage: str) -> tuple[Any, dict[str, Any]]:
    facts = {"node": node, "coverage": coverage, "lost": {}}
    start, end = AT_NS + begun * _SECOND, AT_NS + ended * _SECOND
    return NODES, {**node_status(), **facts, "interval_start_ns": start, "interval_end_ns": end}


def test_of_a_span_it_is_told_which_nodes_did_not_see_everything(place: Place) -> None:
    place.keep(
        at(5, FLOWS, flow("id-1")),
        at(5, DNS, dns()),
        _told("node1", 0, 100, "complete"),
        _told("node2", 0, 80, "complete"),
        _told("node2", 80, 100, "lossy"),
        _told("node3", -60, -50, "complete"),
    )
    expected = (
        "INCOMPLETE: from 2026-11-23T18:32:00Z to 2026-11-23T18:33:40Z 1 of 3 nodes saw everything; "
        "node2 lossy 20s; node3 silent 1m40s: few are no proof of little traffic"
    )
    for arguments in (("--source", "kafka"), ("--source", "elasticsearch"), ("--type", "dns", "--pod", "nobody")):
        answer = place.run(*arguments, *_SPAN)
        assert answer.returncode == 0, answer.stderr
        assert answer.stderr.splitlines()[-1] == expected
    shown = place.run("--utc", "--last", "1", "--until", "2026-11-23T18:32:10Z")
    span = "from 2026-11-23T18:32:05Z to 2026-11-23T18:32:10Z"
    assert f"INCOMPLETE: {span} 2 of 3 nodes saw everything; node3 silent 4s" in shown.stderr


def test_that_only_notable_flows_are_kept_is_said(stack: RunningStack, place: Place) -> None:
    place.keep(at(5, FLOWS, flow("id-1")))
    assert "notable" not in place.run(*_SPAN).stderr
    body = {"@timestamp": "2026-11-23T18:32:05.123Z", "conntrail": {"level": "notable"}}
    ask(stack.elasticsearch, "PUT", f"logs-conntrail.flow-{place.name}-2026.11.23/_doc/x?refresh=true", body)
    answer = place.run("--source", "elasticsearch", *_SPAN)
    assert "INCOMPLETE: Elasticsearch was given notable flows only (CONNTRAIL_INDEX__FLOWS=notable)" in answer.stderr
    assert "--source kafka has all of the last day" in answer.stderr
    assert "notable" not in place.run("--source", "kafka", *_SPAN).stderr
