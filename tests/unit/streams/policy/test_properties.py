"""What holds for every set of policies and every question."""

import copy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.metadata.endpoint import ContainerPort, Endpoint
from streams.policy.evaluate import evaluate
from streams.policy.judge import judge
from streams.policy.object import PolicyObject
from streams.policy.question import Question
from streams.policy.timeline import PolicyTimeline
from tests.unit.streams.policy.builders import START, Endpoints, end, matched, policies, policy_object, timeline

_VALUES = st.sampled_from(["x", "y", "z"])
_LABELS = st.dictionaries(st.sampled_from(["a", "b"]), _VALUES, max_size=2)
_NAMESPACES = ("red", "blue")
_PORTS = (80, 81, 90, 443)
_NUMBERS = {"TCP": 6, "UDP": 17, "SCTP": 132}
_BLOCKS = ("10.0.0.0/8", "10.0.0.4/30", "10.0.0.8/29", "192.0.2.0/24", "192.0.2.128/25", "0.0.0.0/0", "2001:db8::/64")
_OUTSIDE = ("192.0.2.1", "192.0.2.200", "198.51.100.7", "10.0.0.9", "2001:db8::9", "2001:db9::1")


def _requirement(key: str, operator: str, values: list[str]) -> dict[str, Any]:
    return {"key": key, "operator": operator, **({"values": values} if operator in ("In", "NotIn") else {})}


_EXPRESSIONS = st.lists(
    st.builds(
        _requirement,
        st.sampled_from(["a", "b"]),
        st.sampled_from(["In", "NotIn", "Exists", "DoesNotExist"]),
        st.lists(_VALUES, min_size=1, max_size=2),
    ),
    max_size=2,
)
_SELECTORS = st.fixed_dictionaries({}, optional={"matchLabels": _LABELS, "matchExpressions": _EXPRESSIONS})


def _block(cidr: str, *, has_exception: bool) -> dict[str, Any]:
    exceptions = {"10.0.0.0/8": "10.0.0.4/30", "192.0.2.0/24": "192.0.2.128/25", "0.0.0.0/0": "10.0.0.0/8"}
    excepted = {"except": [exceptions[cidr]]} if has_exception and cidr in exceptions else {}
    return {"ipBlock": {"cidr": cidr, **excepted}}


_PEERS = st.one_of(
    st.fixed_dictionaries({"podSelector": _SELECTORS}, optional={"namespaceSelector": _SELECTORS}),
    st.fixed_dictionaries({"namespaceSelector": _SELECTORS}),
    st.builds(_block, st.sampled_from(_BLOCKS), has_exception=st.booleans()),
)
_RULE_PORTS = st.one_of(
    st.fixed_dictionaries(
        {"port": st.sampled_from([*_PORTS, "web"])}, optional={"protocol": st.sampled_from(sorted(_NUMBERS))}
    ),
    st.just({"port": 80, "endPort": 90}),
    st.just({"protocol": "UDP"}),
)


def _rules(peers: str) -> st.SearchStrategy[list[dict[str, Any]]]:
    rule = st.fixed_dictionaries(
        {}, optional={peers: st.lists(_PEERS, max_size=2), "ports": st.lists(_RULE_PORTS, max_size=2)}
    )
    return st.lists(rule, max_size=3)


_SPECS = st.fixed_dictionaries(
    {"podSelector": _SELECTORS},
    optional={
        "ingress": _rules("from"),
        "egress": _rules("to"),
        "policyTypes": st.sampled_from([["Ingress"], ["Egress"], ["Ingress", "Egress"]]),
    },
)


@st.composite
def _policy_objects(draw: st.DrawFn) -> list[PolicyObject]:
    drawn = draw(st.lists(st.tuples(_SPECS, st.sampled_from(_NAMESPACES)), max_size=4))
    return [policy_object(spec, f"p{index}", namespace) for index, (spec, namespace) in enumerate(drawn)]


@st.composite
def _pods(draw: st.DrawFn) -> list[Endpoint]:
    count = draw(st.integers(2, 5))
    return [
        Endpoint(
            kind="pod",
            name=f"pod{index}",
            uid=f"uid{index}",
            namespace=draw(st.sampled_from(_NAMESPACES)),
            namespace_labels={"a": draw(_VALUES)},
            labels=draw(_LABELS),
            node_name=f"n{index % 2}",
            host_network=draw(st.integers(0, 9)) == 0,
            addresses=(f"10.0.0.{index + 3}",),
            ports=(ContainerPort("web", "TCP", draw(st.sampled_from(_PORTS))),),
        )
        for index in range(count)
    ]


@st.composite
def _questions(draw: st.DrawFn, pods: list[Endpoint]) -> list[Question]:
    ends = st.one_of(st.sampled_from(pods), st.sampled_from(_OUTSIDE))
    asked = st.tuples(ends, ends, st.sampled_from(sorted(_NUMBERS)), st.sampled_from([*_PORTS, 85]))
    return [
        Question(end(source), end(destination), protocol, number)
        for source, destination, protocol, number in draw(st.lists(asked, min_size=1, max_size=12))
    ]


@st.composite
def _worlds(draw: st.DrawFn) -> tuple[list[PolicyObject], list[Endpoint], list[Question]]:
    pods = draw(_pods())
    return draw(_policy_objects()), pods, draw(_questions(pods))


@given(_worlds(), st.integers(0, 3), _rules("from"), _rules("to"))
@settings(max_examples=60)
def test_a_further_allow_rule_never_denies(world: Any, index: int, ingress: Any, egress: Any) -> None:
    objects, _, questions = world
    if not objects:
        return
    widened = copy.deepcopy(objects)
    spec: dict[str, Any] = widened[index % len(widened)].spec  # type: ignore[assignment]
    for name, rules in (("ingress", ingress), ("egress", egress)):
        if name in spec or name.capitalize() in spec.get("policyTypes", []):
            spec.setdefault("policyTypes", ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"])
            spec[name] = [*spec.get(name, []), *rules]
    before, after = policies(*objects), policies(*widened)
    for question in questions:
        if evaluate(before, question).verdict != "deny":
            assert evaluate(after, question).verdict != "deny"


@given(_worlds(), st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_the_order_of_policies_is_irrelevant(world: Any, random: Any) -> None:
    objects, _, questions = world
    shuffled = random.sample(objects, len(objects))
    for question in questions:
        assert evaluate(policies(*objects), question) == evaluate(policies(*shuffled), question)


@given(_worlds())
@settings(max_examples=60)
def test_an_empty_selector_equals_one_that_all_meet(world: Any) -> None:
    objects, _, questions = world
    empty = [policy_object({**item.spec, "podSelector": {}}, item.name, item.namespace) for item in objects]
    met_by_all = {"matchExpressions": [{"key": "nowhere", "operator": "DoesNotExist"}]}
    full = [policy_object({**item.spec, "podSelector": met_by_all}, item.name, item.namespace) for item in objects]
    for question in questions:
        left, right = evaluate(policies(*empty), question), evaluate(policies(*full), question)
        assert [str(hit) for hit in left.ingress.hits] == [str(hit) for hit in right.ingress.hits]
        assert [str(hit) for hit in left.egress.hits] == [str(hit) for hit in right.egress.hits]


@given(_worlds(), st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_a_part_that_is_not_understood_makes_a_verdict_unknown_or_leaves_it(world: Any, random: Any) -> None:
    objects, _, questions = world
    broken = copy.deepcopy(objects)
    for item in broken:
        rules = [*item.spec.get("ingress", []), *item.spec.get("egress", [])]
        parts = [part for rule in rules for list_ in rule.values() for part in list_] + [item.spec, *rules]
        random.choice(parts)["surprise"] = 1
    for question in questions:
        truth, answer = evaluate(policies(*objects), question), evaluate(policies(*broken), question)
        assert answer.egress.action in ("unknown", truth.egress.action)
        assert answer.ingress.action in ("unknown", truth.ingress.action)


def _row(question: Question, pods: list[Endpoint], outside: dict[Any, str]) -> dict[str, Any]:
    row: dict[str, Any] = {"protocol": _NUMBERS[question.protocol], "destination_port": question.port}
    for side, item in (("source", question.source), ("destination", question.destination)):
        row[f"{side}_index"] = None if item.endpoint is None else pods.index(item.endpoint)
        row[f"{side}_address"] = outside[item.address] if item.endpoint is None else item.endpoint.addresses[0]
    return row


def _judged(known: PolicyTimeline, pods: list[Endpoint], questions: list[Question]) -> list[dict[str, Any]]:
    outside = {end(address).address: address for address in _OUTSIDE}
    rows = matched(*(_row(question, pods, outside) for question in questions), started_at_ns=START)
    return judge(rows, Endpoints(pods), known).to_dicts()


@given(_worlds())
@settings(max_examples=60)
def test_the_columns_say_what_the_evaluator_says_row_by_row(world: Any) -> None:
    objects, pods, questions = world
    known = timeline(*objects)
    for _ in range(2):  # the second time from memory
        for question, row in zip(questions, _judged(known, pods, questions), strict=True):
            trace = evaluate(policies(*objects), question)
            assert row["policy_verdict"] == trace.verdict
            assert row["ingress_policies"] == [str(hit) for hit in trace.ingress.hits]
            assert row["egress_policies"] == [str(hit) for hit in trace.egress.hits]
            assert row["denied_by"] == [str(hit) for hit in trace.denied_by]
