"""What is said to cover another does so for every question; nothing is claimed without proof."""

from hypothesis import given
from hypothesis import strategies as st

from conntrail.policy.usage.cover import covers, covers_labels
from streams.policy.condition import Condition, InNetwork, PodsAcross, PodsIn, PortRange
from streams.policy.network import Address, Network
from streams.policy.question import End, Question
from streams.policy.selector import LabelSelector, Requirement
from tests.unit.streams.policy.builders import pod

KEYS, VALUES = st.sampled_from("ab"), st.frozensets(st.sampled_from("xyz"), min_size=1)
REQUIREMENTS = st.one_of(
    st.builds(Requirement, KEYS, st.sampled_from(["In", "NotIn"]), VALUES),
    st.builds(Requirement, KEYS, st.sampled_from(["Exists", "DoesNotExist"])),
)
SELECTORS = st.builds(LabelSelector, st.lists(REQUIREMENTS, max_size=2).map(tuple))
LABELS = st.dictionaries(KEYS, st.sampled_from("xyz"))
NAMES = st.sampled_from(["shop", "ops"])
NAMESPACES = st.fixed_dictionaries({"shop": LABELS, "ops": LABELS})
PORTS = st.tuples(st.integers(1, 6), st.integers(1, 6)).map(lambda ends: PortRange("TCP", min(ends), max(ends)))


def block(bits: int, length: int) -> Network:
    size = 1 << (4 - length)
    first = bits // size * size
    return Network(4, first, first + size - 1)


BLOCKS = st.builds(block, st.integers(0, 15), st.integers(0, 4))
NETWORKS = st.builds(InNetwork, BLOCKS, st.lists(BLOCKS, max_size=2).map(tuple))
CONDITIONS: st.SearchStrategy[Condition] = st.one_of(
    PORTS, st.builds(PodsIn, NAMES, SELECTORS), st.builds(PodsAcross, SELECTORS, SELECTORS), NETWORKS
)


@given(SELECTORS, SELECTORS, LABELS)
def test_a_selector_that_covers_another_takes_all_that_it_takes(
    wide: LabelSelector, narrow: LabelSelector, labels: dict[str, str]
) -> None:
    if covers_labels(wide, narrow) and narrow.matches(labels):
        assert wide.matches(labels)


@given(CONDITIONS, CONDITIONS, NAMESPACES, st.data())
def test_a_condition_that_covers_another_holds_wherever_that_does(
    wide: Condition, narrow: Condition, namespaces: dict[str, dict[str, str]], data: st.DataObject
) -> None:
    name = data.draw(NAMES)
    peer = pod("p", name, labels=data.draw(LABELS), namespace_labels=namespaces[name])
    source = End(peer, Address(4, data.draw(st.integers(0, 15))))
    question = Question(source, End(pod("q"), None), "TCP", data.draw(st.integers(0, 7)))
    if covers(wide, narrow, namespaces) and narrow.holds(question, "ingress"):
        assert wide.holds(question, "ingress")


@given(CONDITIONS, NAMESPACES)
def test_everything_covers_itself(condition: Condition, namespaces: dict[str, dict[str, str]]) -> None:
    assert covers(condition, condition, namespaces)


def test_a_wider_range_covers_and_a_narrower_does_not() -> None:
    assert covers(PortRange("TCP", 80, 90), PortRange("TCP", 85, 90), {})
    assert not covers(PortRange("TCP", 85, 90), PortRange("TCP", 80, 90), {})
    assert not covers(PortRange("UDP", 80, 90), PortRange("TCP", 85, 90), {})
