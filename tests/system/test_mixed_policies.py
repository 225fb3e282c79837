"""Policies of every kind through the whole system: each flow is judged as the kernel acted, till a rule is torn out."""

import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from threading import Thread

import pytest

from conntrail.observe.condition import values_at
from tests.support.mixed import MANIFESTS, remove_rule
from tests.support.observed import Document, Observed, dump, is_root, observed
from tests.support.parts import SECOND
from tests.support.stack import RunningStack
from tests.support.truth import Truth, by_flow, first, nanoseconds, of_port

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(not is_root(), reason="network namespaces need root"),
    pytest.mark.timeout(400),
]
LAG_NS = 2 * SECOND
"""Until a rule that was torn out is known to be gone; flows of that time are of either side."""
ACTIONS = {"allow": "allowed", "none": "allowed", "deny": "denied"}


@dataclass(frozen=True)
class Torn:
    """A rule that the kernel lost, whose connections it concerns, and what the policies say of them."""

    workload: str
    title: str
    source: str
    destination: str
    port: int
    verdict: str
    action: str
    policy: str


LET_THROUGH = Torn(
    workload="shop/web",
    title="GlobalNetworkPolicy team.guests ingress[0] deny",
    source="visit",
    destination="web",
    port=8080,
    verdict="deny",
    action="allowed",
    policy=":/team.guests:",
)
KEPT_OUT = Torn(
    workload="data/cache",
    title="NetworkPolicy data/cache ingress[0] allow",
    source="web",
    destination="cache",
    port=6379,
    verdict="allow",
    action="denied",
    policy=":data/cache:",
)


@dataclass
class Told:
    """When rules were asked to be torn out, and when they were gone, Unix time in ns."""

    asked: float = 0
    done: float = 0


@pytest.fixture(scope="module")
def told() -> Told:
    return Told()


@pytest.fixture(scope="module")
def mixed(stack: RunningStack, tmp_path_factory: pytest.TempPathFactory, told: Told) -> Iterator[Observed]:
    """After a run in which the kernel lost a rule that denies and one that allows."""
    with observed(stack, tmp_path_factory.mktemp("mixed"), MANIFESTS) as run:
        traffic = Thread(target=run.lab.traffic, args=(24,))
        traffic.start()
        try:
            time.sleep(14)
            told.asked = time.time_ns()
            for torn in (LET_THROUGH, KEPT_OUT):
                remove_rule(run.lab, torn.workload, "ingress", torn.title)
            told.done = time.time_ns()
        finally:
            traffic.join()
        run.await_results()
        yield run


def is_of(torn: Torn, document: Document) -> bool:
    return bool(
        first(document, "source.kubernetes.workload.name") == torn.source
        and first(document, "destination.kubernetes.workload.name") == torn.destination
        and first(document, "destination.port") == torn.port
        and first(document, "network.type") == "ipv4"
        and first(document, "network.transport") == "tcp"
    )


def is_before(told: Told, document: Document) -> bool:
    return nanoseconds(first(document, "event.start")) < told.asked - LAG_NS


def untouched(run: Observed, told: Told) -> list[Document]:
    """What the kernel judged by all of the rules."""
    flows = run.flows()
    return [d for d in flows if is_before(told, d) or not any(is_of(torn, d) for torn in (LET_THROUGH, KEPT_OUT))]


def after(run: Observed, told: Told, torn: Torn) -> list[Document]:
    """The last word on each connection that a rule was torn from under: another node's denial may come a step later."""
    found = [
        documents[-1]
        for documents in by_flow(run.flows()).values()
        if is_of(torn, documents[0]) and nanoseconds(first(documents[0], "event.start")) > told.done + LAG_NS
    ]
    assert found, f"{torn.source} called {torn.destination} after that, too: {told}"
    return found


def test_every_flows_verdict_is_what_the_kernel_did(mixed: Observed, told: Told) -> None:
    flows = untouched(mixed, told)
    assert flows
    wrong = [d for d in flows if ACTIONS.get(first(d, "policy.verdict")) != first(d, "event.action")]
    assert not wrong, f"{len(wrong)} of {len(flows)}: {dump(wrong)}"


def test_there_is_no_drift_while_all_rules_are_there(mixed: Observed, told: Told) -> None:
    drifting = [d for d in untouched(mixed, told) if first(d, "policy.drift")]
    assert not drifting, f"{len(drifting)}: {dump(drifting)}"


def test_each_connection_is_found_and_its_denial_named(mixed: Observed, told: Told) -> None:
    facts, flows = mixed.truth(), by_flow(mixed.flows())
    truth = Truth(facts, flows)
    denials = defaultdict(set)
    for fact in facts:
        if fact["started_at_ns"] > told.asked - LAG_NS:
            continue
        identities = truth.flows_of(fact)
        assert len(identities) == 1, dump([fact, *of_port(flows, fact)])
        last = flows[identities.pop()][-1]
        assert first(last, "event.action") == fact["expected"], dump([fact, last])
        denied_by = values_at(last, "policy.denied_by")
        assert bool(denied_by) == (fact["expected"] == "denied"), dump([fact, last])
        if denied_by:
            assert any(f":{fact['policy']}:" in name for name in denied_by), dump([fact, last])
            assert first(last, "rule.category") == fact["direction"], dump([fact, last])
            denials[fact["policy"]].add(fact["client"]["workload"])
    assert len(denials) >= 12, denials


def test_staged_policies_say_what_they_would_do_and_deny_nobody(mixed: Observed, told: Told) -> None:
    pending = {name for document in untouched(mixed, told) for name in values_at(document, "policy.pending")}
    for staged in ("/guard.tried", "shop/tried", "data/tried", "ops/tried"):
        assert any(staged in name for name in pending), pending
    denied_by = {name for document in mixed.flows() for name in values_at(document, "policy.denied_by")}
    assert not [name for name in denied_by if "tried" in name]


@pytest.mark.parametrize("torn", [LET_THROUGH, KEPT_OUT], ids=["denies", "allows"])
def test_a_rule_that_the_kernel_alone_has_lost_is_drift_and_named(mixed: Observed, told: Told, torn: Torn) -> None:
    for document in after(mixed, told, torn):
        assert first(document, "policy.drift") is True, dump([document])
        assert first(document, "policy.verdict") == torn.verdict, dump([document])
        assert first(document, "event.action") == torn.action, dump([document])
        named = [*values_at(document, "policy.denied_by"), *values_at(document, "policy.ingress.policies")]
        assert any(torn.policy in name for name in named), dump([document])
        assert first(document, "event.reason"), dump([document])
