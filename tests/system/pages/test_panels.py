"""Every tile of every dashboard has something to show, and what it shows is what happened."""

import pytest

from tests.support.kibana.asked import Asked
from tests.support.kibana.objects import panels
from tests.support.kibana.vega import SIZES, drawn
from tests.support.observed import Observed, is_root
from tests.support.truth import counted_once

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(not is_root(), reason="network namespaces need root"),
    pytest.mark.timeout(400),
]
UNSEEN = {"lossy", "blind", "Not complete"}
"""Of intervals in which a node did not see everything: the lab has none that are sure to come."""


def value(asked: Asked, title: str) -> float:
    """The number of a tile that has one."""
    (panel,) = (one for one in panels() if one.kind == "lens" and one.title == title)
    (row,) = asked.rows(panel)
    (found,) = row.values()
    return float(found)


def test_every_chart_runs_and_every_measure_of_it_has_a_value(asked: Asked) -> None:
    empty = []
    for panel in panels():
        if panel.kind == "lens":
            rows, layer = asked.rows(panel), panel.layer()
            labels = {name: layer.columns[name]["label"] for name in layer.measures}
            empty += [
                (panel.title, label)
                for name, label in labels.items()
                if label not in UNSEEN and not any(row[name] for row in rows)
            ]
    assert empty == []


def test_totals_are_those_of_the_truth(asked: Asked, eventful: Observed) -> None:
    truth = counted_once(eventful.truth())
    denied = sum(fact["expected"] != "refused" and fact["outcome"] != "answered" for fact in truth)
    assert value(asked, "conntrail-flows: Connections") == pytest.approx(len(truth), rel=0.01)
    # Some more were denied at first and let through when they tried again.
    assert denied <= value(asked, "conntrail-flows: Denied") <= denied * 1.1
    failed = sum(fact["expected"] == "refused" for fact in truth)
    assert value(asked, "conntrail-flows: Failed") == pytest.approx(failed, rel=0.01)
    drifting = sum(fact["expected"] == "denied" and fact["outcome"] == "answered" for fact in truth)
    assert value(asked, "conntrail-policies: Against policy") == pytest.approx(drifting, rel=0.01)
    assert drifting > 0
    assert value(asked, "conntrail-pipeline: Dead letters") == 1
    assert value(asked, "conntrail-pipeline: Counted once") == pytest.approx(1, abs=0.01)


def test_shares_are_those_of_the_truth(asked: Asked, eventful: Observed) -> None:
    answers = [fact for fact in eventful.lab.exchanges() if fact["layer"] == "http"]
    servers = sum(fact["status"] >= 500 for fact in answers) / len(answers)
    assert value(asked, "conntrail-http: Server errors") == pytest.approx(servers, abs=0.01)
    assert value(asked, "conntrail-http: Requests") == pytest.approx(len(answers), rel=0.01)


def test_edges_of_the_graph_are_those_of_the_truth_and_it_can_be_drawn(asked: Asked, eventful: Observed) -> None:
    names = {f"{fact['client']['namespace']}/{fact['client']['workload']}" for fact in eventful.truth()}
    for panel, answered in asked.graphs():
        text = drawn(answered, *SIZES[panel.page])
        shown = names if "graph" in panel.page else {name.partition("/")[0] for name in names}
        assert all(f">{name}<" in text for name in {*shown, "outside"}), panel.title
        assert "NaN" not in text
