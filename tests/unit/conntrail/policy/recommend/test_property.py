"""Whatever was seen: the set allows it, in every kind, and denies what was not seen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conntrail.policy.cluster.build import policies_of
from conntrail.policy.cluster.manifest import records_of
from conntrail.policy.history.seen import History, Seen, SeenEnd
from conntrail.policy.recommend.calico import CALICO
from conntrail.policy.recommend.cilium import CILIUM
from conntrail.policy.recommend.dialect import Dialect, enforced
from conntrail.policy.recommend.network_policy import NETWORK_POLICY
from conntrail.policy.recommend.question import apart_by, questions_about_all
from conntrail.policy.recommend.remark import failures
from streams.policy.evaluate import evaluate
from streams.policy.policy_set import PolicySet
from streams.policy.record import policy_of
from tests.unit.conntrail.policy.cluster.builders import Manifest, pod, snapshot
from tests.unit.conntrail.policy.recommend.builders import (
    NODES,
    PODS,
    end,
    history,
    on_node,
    outside,
    recommended,
    seen,
)

CLUSTER = snapshot(*NODES, *PODS, pod("job-1", "10.0.0.9", labels={"app": "web", "track": "canary"}))
ENDS = [
    end("web"),
    end("api"),
    end("job"),
    end("db", "data"),
    outside("203.0.113.9"),
    outside("10.9.9.9"),
    on_node("node1"),
]
PORTS = [53, 80, 443, 5432, 50051]


def is_of_policies(record: Seen) -> bool:
    return "workload" in (record.key.source.kind, record.key.destination.kind)


FLOWS = st.lists(
    st.builds(
        lambda source, destination, port, protocol, action: seen(
            source, destination, port, protocol=protocol, action=action
        ),
        st.sampled_from(ENDS), st.sampled_from(ENDS), st.sampled_from(PORTS), st.sampled_from(["TCP", "UDP"]),
        st.sampled_from(["allowed", "allowed", "denied", "failed"]),
    ).filter(is_of_policies),
    max_size=12, unique_by=lambda record: record.key,
)  # fmt: skip


def set_of(policies: dict[str, Manifest]) -> PolicySet:
    records = records_of([enforced(manifest) for manifest in policies.values()], "test", 0)
    return policies_of([found for record in records if (found := policy_of(record)) is not None])


def verdicts(policies: PolicySet, source: SeenEnd, destination: SeenEnd, port: int, protocol: str) -> set[str]:
    record = seen(source, destination, port, protocol=protocol)
    questions = questions_about_all(record, history(), CLUSTER, apart_by((), policies))
    return {evaluate(policies, question).verdict for question in questions}


@pytest.mark.parametrize("dialect", [NETWORK_POLICY, CALICO, CILIUM], ids=lambda dialect: dialect.kind)
@given(records=FLOWS, probe=st.tuples(st.sampled_from(ENDS), st.sampled_from(ENDS), st.sampled_from([*PORTS, 7])))
def test_the_set_allows_what_was_seen_allowed_and_denies_the_rest(
    dialect: Dialect, records: list[Seen], probe: tuple[SeenEnd, SeenEnd, int]
) -> None:
    found, policies = recommended(CLUSTER, history(*records), dialect)
    assert not list(failures(found))
    made = set_of(policies)
    allowed = {record.key for record in records if record.key.action == "allowed"}
    for key in allowed:
        assert not {"deny", "unknown"} & verdicts(made, key.source, key.destination, key.port, key.protocol)
    source, destination, port = probe
    key = seen(source, destination, port).key
    isolated = {workload for draft in found.drafts for workload in draft.group.workloads}
    ends = {
        (item.namespace, item.workload_kind, item.name) for item in (source, destination) if item.kind == "workload"
    }
    if key not in allowed and ends & isolated and on_node("node1") not in (source, destination):
        # DNS by TCP goes with DNS by UDP; a pod always reaches itself.
        is_dns = port == 53 and key.destination.kind == "outside"
        assert is_dns or verdicts(made, source, destination, port, "TCP") <= {"deny", "none"}
        assert is_dns or source == destination or "deny" in verdicts(made, source, destination, port, "TCP")


@given(FLOWS)
def test_the_order_in_which_traffic_was_seen_changes_nothing(records: list[Seen]) -> None:
    _, one = recommended(CLUSTER, History(seen=tuple(records)))
    _, other = recommended(CLUSTER, History(seen=tuple(reversed(records))))
    assert one == other
