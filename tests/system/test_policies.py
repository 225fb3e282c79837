"""Policies that change while there is traffic, that are only tried out, and that the kernel does not enforce."""

import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

import pytest
import yaml

from conntrail.lab.network.policy import chain_name
from conntrail.observe.condition import values_at
from tests.support.observed import Document, Observed, dump, is_root, observed
from tests.support.parts import SECOND
from tests.support.stack import RunningStack
from tests.support.truth import begins, first, nanoseconds

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(not is_root(), reason="network namespaces need root"),
    pytest.mark.timeout(400),
]
LAG_NS = 2 * SECOND
"""Until a change is known to be enforced; flows of that time are of either side."""

CLOSED = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": {"name": "closed", "namespace": "shop"},
    "spec": {
        "podSelector": {"matchLabels": {"app": "payment"}},
        "ingress": [{"from": [{"podSelector": {"matchLabels": {"app": "nobody"}}}]}],
    },
}
TRIED = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": {"name": "tried", "namespace": "shop", "annotations": {"conntrail.io/staged": "true"}},
    "spec": {"podSelector": {"matchLabels": {"app": "frontend"}}, "policyTypes": ["Ingress"]},
}


@dataclass
class Told:
    """When each change was asked for and done, Unix time in ns."""

    closed: tuple[int, int] = (0, 0)
    opened: tuple[int, int] = (0, 0)
    torn: tuple[int, int] = (0, 0)


@pytest.fixture(scope="module")
def told() -> Told:
    return Told()


@pytest.fixture(scope="module")
def changed(stack: RunningStack, tmp_path_factory: pytest.TempPathFactory, told: Told) -> Iterator[Observed]:
    """After a run in which a policy came and went, another was tried, and a third was torn out of the kernel."""
    directory = tmp_path_factory.mktemp("policies")
    with observed(stack, directory, manifests=without_jobs(directory)) as run:
        tried, closed = directory / "tried.yaml", directory / "closed.yaml"
        tried.write_text(yaml.safe_dump(TRIED))
        closed.write_text(yaml.safe_dump(CLOSED))
        run.lab.apply(tried)
        traffic = Thread(target=run.lab.traffic, args=(26,))
        traffic.start()
        try:
            time.sleep(6)
            told.closed = timed(lambda: run.lab.apply(closed))
            time.sleep(7)
            told.opened = timed(lambda: run.lab.delete(closed))
            time.sleep(5)
            told.torn = timed(lambda: tear_out(run, "data/postgres"))
        finally:
            traffic.join()
        run.await_results()
        yield run


def without_jobs(directory: Path) -> Path:
    """The lab's own manifests, but for pods that come and go: each of them has all rules enforced anew."""
    given = Path(__file__).parents[2] / "conntrail/lab/manifests/cluster.yaml"
    kept = []
    for document in yaml.safe_load_all(given.read_text()):
        items = document["items"] if document["kind"] == "List" else [document]
        kept += [item for item in items if item["kind"] != "CronJob"]
    path = directory / "cluster.yaml"
    path.write_text(yaml.safe_dump_all(kept))
    return path


def timed(change: Callable[[], None]) -> tuple[int, int]:
    asked = time.time_ns()
    change()
    return asked, time.time_ns()


def tear_out(run: Observed, workload: str) -> None:
    """Let through what a policy forbids, behind its back."""
    pod = run.lab.pod(workload)
    subprocess.run(
        ["ip", "netns", "exec", pod.node.name, "nft", "flush", "chain", "inet", "lab", chain_name(pod, "ingress")],
        check=True,
    )


def beginnings(run: Observed, source: str, service: str) -> list[Document]:
    """First documents of the connections from one workload to one Service."""
    return [
        document
        for document in run.flows()
        if begins(document)
        and first(document, "source.kubernetes.workload.name") == source
        and first(document, "destination.service.name") == service
    ]


def of_time(documents: list[Document], start_ns: float, end_ns: float) -> list[Document]:
    found = [d for d in documents if start_ns <= nanoseconds(first(d, "event.start")) < end_ns]
    assert found, "there was traffic at that time"
    return found


def test_a_policy_holds_from_its_instant_until_it_is_deleted(changed: Observed, told: Told) -> None:
    flows = beginnings(changed, "frontend", "payment")
    before = of_time(flows, 0, told.closed[0] - LAG_NS)
    during = of_time(flows, told.closed[1] + LAG_NS, told.opened[0] - LAG_NS)
    after = of_time(flows, told.opened[1] + LAG_NS, float("inf"))
    assert {first(d, "event.action") for d in [*before, *after]} == {"allowed"}
    assert {first(d, "event.action") for d in during} == {"denied"}
    assert {name for d in during for name in values_at(d, "policy.denied_by")} == {
        "NetworkPolicy:shop/closed:rule=-1:deny"
    }
    drifting = [d for d in [*before, *during, *after] if first(d, "policy.drift")]
    assert not drifting, f"{told} {dump(drifting)}"


def test_a_staged_policy_says_what_it_would_do_and_does_nothing(changed: Observed) -> None:
    flows = beginnings(changed, "intruder", "frontend")
    assert flows
    assert {first(d, "event.action") for d in flows} == {"allowed"}
    for document in flows:
        assert any(":shop/tried:" in name for name in values_at(document, "policy.pending")), dump([document])
        assert not values_at(document, "policy.denied_by")
        assert not first(document, "policy.drift")


def test_what_the_kernel_lets_through_against_the_policies_is_drift_with_its_evidence(
    changed: Observed, told: Told
) -> None:
    flows = beginnings(changed, "intruder", "postgres")
    before = of_time(flows, 0, told.torn[0] - LAG_NS)
    after = of_time(flows, told.torn[1] + LAG_NS, float("inf"))
    assert not any(first(d, "policy.drift") for d in before), dump(before)
    assert {first(d, "event.action") for d in before} == {"denied"}
    for document in after:
        assert first(document, "policy.drift") is True, dump([document])
        assert first(document, "event.action") == "allowed"
        assert first(document, "policy.verdict") == "deny"
        assert "confirmed" in values_at(document, "flow.evidence")
        assert "data/postgres" in first(document, "event.reason")
