"""The report of a run says what the lab's programs did, what the manifests leave open, and what was not seen."""

import json
from collections import Counter
from typing import Any

import pytest
from typer.testing import CliRunner

from conntrail.policy.cluster.reader import read_cluster
from conntrail.policy.exposure.gap import gaps
from conntrail.policy.history.seen import History
from conntrail.report.command import app
from conntrail.report.fact.coverage import BEFORE_FIRST
from tests.support.index import ask
from tests.support.observed import Document, Observed, dump, is_root
from tests.support.truth import counted_once

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(not is_root(), reason="network namespaces need root"),
    pytest.mark.timeout(400),
]
ACTIONS = {"allowed": "allowed", "denied": "denied", "refused": "failed"}
Told = tuple[str, str, str]
"""Source, destination and outcome."""


@pytest.fixture(scope="module")
def report(run: Observed) -> Document:
    """Of all of it, by the command, once all that is indexed can be found."""
    ask(run.settings.elasticsearch.hosts, "POST", f"*-{run.settings.elasticsearch.namespace}-*/_refresh")
    result = CliRunner(env=run.environment()).invoke(app, ["--since", "1h", "-o", "json"])
    assert result.exit_code == 0, f"{result.output}{result.exception!r}"
    found: Document = json.loads(result.stdout)
    return found


@pytest.fixture(scope="module")
def workloads(run: Observed) -> dict[str, str]:
    """Of each pod, by name and by address."""
    found = {}
    for pod in run.lab.status()["pods"]:
        workload = f"{pod['namespace']}/{pod['workload'].partition('/')[2]}"
        found |= {f"{pod['namespace']}/{pod['name']}": workload, **dict.fromkeys(pod["addresses"], workload)}
    return found


def told_by_truth(fact: Document, workloads: dict[str, str]) -> Told:
    client = fact["client"]
    servers = {workloads[server] for server in fact["servers"]} if fact["service"] else set()
    dialled = fact["dialled_address"]
    destination = servers.pop() if servers else workloads.get(dialled, dialled)
    assert not servers, "a Service of the lab leads to one workload"
    return f"{client['namespace']}/{client['workload']}", destination, ACTIONS[fact["expected"]]


def rows(report: Document) -> list[dict[str, Any]]:
    return [*report["traffic"], *report["denials"]]


def test_every_connection_is_counted_between_the_ends_that_made_it(
    run: Observed, report: Document, workloads: dict[str, str]
) -> None:
    facts = counted_once(fact for fact in run.truth() if fact["protocol"] == "tcp")
    truth = Counter(told_by_truth(fact, workloads) for fact in facts)
    found = Counter[Told]()
    for row in rows(report):
        if row["protocol"] == "TCP":
            found[row["source"], row["destination"], row["outcome"]] += row["connections"]
    assert found == truth
    assert {action for _, _, action in truth} == {"allowed", "denied", "failed"}


def test_every_denial_names_the_policy_that_the_lab_enforced(
    run: Observed, report: Document, workloads: dict[str, str]
) -> None:
    denied = {(row["source"], row["destination"]): row["denied_by"] for row in report["denials"]}
    for fact in run.truth():
        if fact["expected"] == "denied":
            source, destination, _ = told_by_truth(fact, workloads)
            assert any(f":{fact['policy']}:" in name for name in denied[source, destination]), dump([fact])
    assert report["drift"] == []


def test_unprotected_is_what_the_manifests_leave_open_and_was_used(run: Observed, report: Document) -> None:
    snapshot = read_cluster(run.settings, [run.lab.cluster_directory])
    open_ends = {(str(gap.workload), gap.direction) for gap in gaps(snapshot, History(), "")}
    known = {f"{namespace}/{name}" for namespace, _, name in snapshot.workloads}
    compared = set()
    for row in report["workloads"]:
        for direction in ("ingress", "egress"):
            if row["workload"] in known and row[direction] != "unseen":
                is_open = (row["workload"], direction) in open_ends
                assert (row[direction] != "protected") is is_open, dump([row])
                compared.add(is_open)
    assert compared == {True, False}
    assert {
        (row["workload"], row["direction"]) for row in report["unprotected"] if row["workload"] in known
    } <= open_ends


def test_rules_decided_as_often_as_the_index_of_hits_says(run: Observed, report: Document) -> None:
    hits = Counter[tuple[str, str, int]]()
    for document in run.documents("metrics-conntrail.policy"):
        policy = document["policy"]
        hits[policy["kind"], policy["direction"], policy["rule"]] += policy["connections"]
    found = Counter[tuple[str, str, int]]()
    for row in report["policies"]:
        found[row["kind"], row["direction"], row["rule"]] += row["connections"]
    assert found == hits
    assert found.total() > 0


def test_every_node_told_what_it_saw(run: Observed, report: Document) -> None:
    told = report["completeness"]
    assert told["nodes"] == len(run.lab.nodes)
    assert told["node_seconds"]["complete"] >= 20 * len(run.lab.nodes)
    assert told["node_seconds"]["blind"] == 0
    # Before the run there were no nodes: of that time nobody says that it was seen. Intervals that an agent missed on a
    # crowded machine are told as well, without a note.
    silent = [(row["node"], row["note"]) for row in report["unseen"] if row["sight"] == "silent" and row["note"]]
    assert silent == [(node, BEFORE_FIRST) for node in sorted(run.lab.nodes)], dump(report["unseen"])
    assert report["status"]["state"] == "provisional"
