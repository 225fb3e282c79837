"""Parts of a period add up to the same records however they come."""

from hypothesis import given
from hypothesis import strategies as st

from conntrail.policy.history.seen import HitKey, RuleHits, Seen, SeenEnd, SeenKey, SeenPod
from conntrail.policy.history.tally import Examples, Tally

ENDS = st.sampled_from([SeenEnd("workload", "shop", "Deployment", "web"), SeenEnd("outside", address="192.0.2.1")])
KEYS = st.builds(
    SeenKey, ENDS, ENDS, st.just("TCP"), st.sampled_from([80, 443]), st.sampled_from(["allowed", "denied"])
)
COUNTS = st.integers(0, 1000)
PARTS = st.builds(Seen, KEYS, COUNTS, COUNTS, COUNTS, COUNTS, COUNTS)
NAMES = st.frozensets(st.sampled_from([f"shop/pod-{number:02}" for number in range(20)]), max_size=12)
EXAMPLES = st.tuples(KEYS, st.builds(Examples, NAMES, NAMES, NAMES))
PODS = st.builds(
    SeenPod,
    st.just(SeenEnd("workload", "shop", "Deployment", "web")),
    st.sampled_from(["web-1", "web-2"]),
    st.dictionaries(st.sampled_from("ab"), st.sampled_from("xy")),
    st.just("node1"),
    st.sampled_from([("10.0.0.1",), ("10.0.0.2", "fd00::2")]),
    COUNTS,
)


def tally(seen: list[Seen], examples: list[tuple[SeenKey, Examples]], pods: list[SeenPod]) -> Tally:
    made = Tally()
    for part in seen:
        made.add_seen(part)
    for key, who in examples:
        made.add_examples(key, who)
    for pod in pods:
        made.add_pod(pod)
    return made


@given(st.data(), st.lists(PARTS), st.lists(EXAMPLES), st.lists(PODS))
def test_the_order_of_parts_does_not_matter(
    data: st.DataObject, seen: list[Seen], examples: list[tuple[SeenKey, Examples]], pods: list[SeenPod]
) -> None:
    one = tally(seen, examples, pods)
    other = tally(
        data.draw(st.permutations(seen)), data.draw(st.permutations(examples)), data.draw(st.permutations(pods))
    )
    assert one.seen() == other.seen()
    assert one.pods() == other.pods()


@given(st.lists(PARTS))
def test_totals_are_those_of_the_parts(parts: list[Seen]) -> None:
    records = tally(parts, [], []).seen()
    assert sum(seen.bytes for seen in records) == sum(part.bytes for part in parts)
    assert sum(seen.connections for seen in records) == sum(part.connections for part in parts)
    assert len({seen.key for seen in records}) == len(records)


def test_examples_are_bounded_and_the_first_by_name() -> None:
    key = SeenKey(SeenEnd("workload", "shop", "Deployment", "web"), SeenEnd("outside", address="192.0.2.1"), "TCP", 1,
                  "allowed")  # fmt: skip
    made = tally([Seen(key, 1, 1, 1, 1, 1)], [(key, Examples(frozenset(f"shop/{n}" for n in range(20))))], [])
    assert made.seen()[0].source_pods == tuple(sorted(f"shop/{n}" for n in range(20))[:8])


def test_hits_of_one_rule_add_up() -> None:
    key = HitKey("NetworkPolicy", "shop", "web", "", "ingress", 0, "allow")
    made = Tally()
    made.add_hits(RuleHits(key, 1, 2, 3, 1, 0, 50, 60))
    made.add_hits(RuleHits(key, 1, 2, 3, 1, 0, 40, 55))
    assert made.hits() == (RuleHits(key, 2, 4, 6, 2, 0, 40, 60),)
