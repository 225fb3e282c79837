"""Whatever is killed, joined, restarted or away: the totals are what the kernel counted, each connection once."""

import random
import time
from collections.abc import Callable, Iterator, Mapping
from threading import Thread
from types import MappingProxyType

import pytest

from tests.support.observed import Observed, dump, is_root, observed
from tests.support.parts import SECOND
from tests.support.stack import RunningStack
from tests.support.truth import Truth, by_flow, first, of_port
from tests.system.truth.test_connections import FIGURES

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(not is_root(), reason="network namespaces need root"),
    pytest.mark.timeout(600),
]
WORKER = "worker-1"
MARGIN_NS = 2 * SECOND
WAITED_NS = 2 * MARGIN_NS + 3 * SECOND
"""Less than two steps, with the margins and an interval."""


@pytest.fixture
def run(stack: RunningStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Observed]:
    with observed(stack, tmp_path_factory.mktemp("exact")) as everything:
        yield everything


def with_traffic(run: Observed, seconds: float, trouble: Callable[[], None]) -> None:
    """Make trouble while there is traffic; then wait for all results."""
    faults: list[BaseException] = []

    def talk() -> None:
        try:
            run.lab.traffic(seconds)
        except BaseException as fault:  # noqa: BLE001 - told to the test below
            faults.append(fault)

    traffic = Thread(target=talk)
    traffic.start()
    try:
        trouble()
    finally:
        traffic.join()
    assert not faults, faults
    run.note_witness()
    run.await_results()


def lacking(away: Mapping[str, tuple[int, int]], nodes: set[str]) -> list[tuple[int, int]]:
    """When some of the nodes had no agent."""
    return [span for node, span in away.items() if node in nodes]


def assert_exact(run: Observed, away: Mapping[str, tuple[int, int]] = MappingProxyType({})) -> None:
    """Every connection is there once, and windows say what flows say.

    ``away``: when each node had no agent. A connection that began then is found in the kernel's table afterwards; an
    attempt that nothing came of has left no trace. Of a node that was away for longer the others do not wait: what
    began then is one flow of each end (ARCHITECTURE.md, limits).
    """
    facts, flows = run.truth(), by_flow(run.flows())
    truth = Truth(facts, flows)
    documents = [document for found in flows.values() for document in found]
    pods = run.lab.status()["pods"]
    nodes = {address: pod["node"] for pod in pods for address in pod["addresses"]}
    nodes |= {f"{pod['namespace']}/{pod['name']}": pod["node"] for pod in pods}
    wrong = []
    for fact in facts:
        at_ns = fact["started_at_ns"]
        start, end = away.get(nodes.get(fact["source_address"], ""), (0, 0))
        if fact["expected"] != "allowed" and start <= at_ns <= end:
            continue
        identities = truth.flows_of(fact)
        ends = {nodes.get(name, "") for name in (fact["source_address"], *fact["servers"])}
        is_waited_for = all(end - start < WAITED_NS or not start <= at_ns <= end for start, end in lacking(away, ends))
        if len(identities) not in ((1,) if is_waited_for else (1, 2)):
            seen = [d for d in documents if first(d, "flow.id") in identities] or of_port(flows, fact)
            wrong.append({"found": len(identities), **fact, "seen": seen})
    assert not wrong, f"{len(wrong)} of {len(facts)}: {dump(wrong)}"
    for figure in FIGURES:
        in_flows = sum(first(document, figure) or 0 for document in run.final(documents))
        in_windows = sum(first(document, figure) or 0 for document in run.final(run.windows()))
        assert in_flows == in_windows, figure
    started = [sum(first(d, "flow.connections.started") or 0 for d in found) for found in flows.values()]
    assert set(started) <= {0, 1}


def test_a_worker_killed_ten_times_and_another_that_joins_and_leaves(run: Observed) -> None:
    chance = random.Random(1)

    def trouble() -> None:
        for number in range(10):
            time.sleep(chance.uniform(0.2, 1.5))
            run.system.kill(WORKER)
            run.system.start_child(run.plan.worker(WORKER))
            if number % 2:
                run.system.start_child(run.plan.worker("worker-2"))
                time.sleep(chance.uniform(0.2, 1.5))
                run.system.stop_child("worker-2")

    with_traffic(run, 40, trouble)
    assert_exact(run)


def test_agents_broker_and_elasticsearch_away_for_a_while(run: Observed, stack: RunningStack) -> None:
    away: dict[str, tuple[int, int]] = {}

    def trouble() -> None:
        time.sleep(4)
        for node in run.lab.nodes:
            stopped_at_ns = time.time_ns()
            assert run.system.stop_child(f"agent-{node}") == 0
            run.system.start_child(run.plan.agent(node))
            away[node] = (stopped_at_ns - MARGIN_NS, time.time_ns() + MARGIN_NS)
        stack.stop("kafka")
        time.sleep(5)
        stack.start("kafka")
        stack.stop("elasticsearch")
        time.sleep(12)
        stack.start("elasticsearch")

    with_traffic(run, 30, trouble)
    lost = sum(
        float(line.rsplit(" ", 1)[1])
        for node in run.lab.nodes
        for line in run.system.metrics_of(f"agent-{node}").splitlines()
        if line.startswith("conntrail_agent_spool_dropped")
    )
    assert lost == 0
    assert_exact(run, away)
