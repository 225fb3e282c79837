"""What holds for every set of Calico's policies and every question."""

import copy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.metadata.endpoint import ContainerPort, Endpoint
from streams.policy.compile import compile_object
from streams.policy.evaluate import evaluate
from streams.policy.judge import judge
from streams.policy.object import PolicyObject
from streams.policy.policy_set import policy_set
from streams.policy.question import Question
from tests.unit.streams.policy.builders import START, Endpoints, end, matched, pod, policy_object, timeline
from tests.unit.streams.policy.calico.builders import account, calico, namespace, network_set, tier

_NUMBERS = {"TCP": 6, "UDP": 17, "SCTP": 132}
_OUTSIDE = ("192.0.2.1", "192.0.2.200", "198.51.100.7", "2001:db8::9", "2001:db9::1")
_BLOCKS = st.sampled_from(["10.0.0.0/8", "10.0.0.4/31", "192.0.2.0/25", "192.0.2.1", "0.0.0.0/0", "2001:db8::/64"])
_SELECTORS = st.sampled_from(
    ["all()", "a == 'x'", "a != 'x'", "has(b)", "!has(b)", "a in {'x', 'y'} && b == 'y'", "a == 'y' || !(b == 'x')"]
)
_ENDS: dict[str, st.SearchStrategy[Any]] = {
    "nets": st.lists(_BLOCKS, min_size=1, max_size=2),
    "notNets": st.lists(_BLOCKS, min_size=1, max_size=2),
    "selector": _SELECTORS,
    "notSelector": _SELECTORS,
    "namespaceSelector": st.sampled_from(["all()", "global()", "team == 'red'", "projectcalico.org/name == 'blue'"]),
    "serviceAccounts": st.sampled_from([{"names": ["front"]}, {"selector": "role == 'x'"}]),
}
_PORTS = st.lists(st.sampled_from([80, "81:90", "web", 443]), min_size=1, max_size=2)


@st.composite
def _rules(draw: st.DrawFn) -> dict[str, Any]:
    rule: dict[str, Any] = {"action": draw(st.sampled_from(["Allow", "Deny", "Pass", "Log"]))}
    for side in ("source", "destination"):
        rule[side] = draw(st.fixed_dictionaries({}, optional=_ENDS))
        for name in draw(st.sets(st.sampled_from(sorted(_ENDS)), max_size=5)):
            rule[side].pop(name, None)
    if draw(st.booleans()):
        rule["protocol"] = draw(st.sampled_from(sorted(_NUMBERS)))
        rule["destination"] |= draw(st.fixed_dictionaries({}, optional={"ports": _PORTS, "notPorts": _PORTS}))
    return rule


_SPECS = st.fixed_dictionaries(
    {
        "tier": st.sampled_from(["default", "app"]),
        "ingress": st.lists(_rules(), max_size=3),
        "egress": st.lists(_rules(), max_size=3),
    },
    optional={
        "order": st.sampled_from([1, 2.5]),
        "selector": _SELECTORS,
        "serviceAccountSelector": st.just("role != 'x'"),
        "types": st.sampled_from([["Ingress"], ["Ingress", "Egress"]]),
    },
)
_KINDS = st.sampled_from(["NetworkPolicy", "GlobalNetworkPolicy", "StagedNetworkPolicy", "StagedGlobalNetworkPolicy"])
_AROUND = [
    network_set("g", ["192.0.2.0/25", "10.0.0.4/32"], {"a": "x"}),
    network_set("n", ["192.0.2.128/25", "2001:db8::/65"], {"a": "y", "b": "x"}, "red"),
    account("front", {"role": "x"}, "red"),
    account("front", {}, "blue"),
    namespace("red", {"team": "red"}),
]


@st.composite
def _worlds(draw: st.DrawFn) -> tuple[list[PolicyObject], list[Endpoint], list[Question]]:
    objects = [tier("app", draw(st.sampled_from([1.0, 2e6])), draw(st.sampled_from(["Deny", "Pass"]))), *_AROUND]
    for index, (kind, spec) in enumerate(draw(st.lists(st.tuples(_KINDS, _SPECS), min_size=1, max_size=4))):
        objects.append(calico(kind, f"p{index}", draw(st.sampled_from(["red", "blue"])), **spec))
    if draw(st.booleans()):
        objects.append(policy_object({"podSelector": {"matchLabels": {"a": "x"}}, "ingress": [{}]}, "k", "red"))
    labels = st.dictionaries(st.sampled_from(["a", "b"]), st.sampled_from(["x", "y"]))
    pods = [
        pod(
            f"pod{index}",
            home := draw(st.sampled_from(["red", "blue"])),
            address=f"10.0.0.{index + 3}",
            labels=draw(labels),
            namespace_labels={"team": home},
            service_account=draw(st.sampled_from(["front", "other"])),
            ports=(ContainerPort("web", "TCP", draw(st.sampled_from([80, 443]))),),
        )
        for index in range(draw(st.integers(2, 4)))
    ]
    sides = st.one_of(st.sampled_from(pods), st.sampled_from(_OUTSIDE))
    asked = st.tuples(sides, sides, st.sampled_from(sorted(_NUMBERS)), st.sampled_from([80, 85, 443, 5000]))
    questions = [
        Question(end(source), end(destination), protocol, number)
        for source, destination, protocol, number in draw(st.lists(asked, min_size=1, max_size=10))
    ]
    return objects, pods, questions


def _set(objects: list[PolicyObject]) -> Any:
    return policy_set(compile_object(item) for item in objects)


@given(_worlds())
@settings(max_examples=40)
def test_the_columns_say_what_the_evaluator_says_row_by_row(world: Any) -> None:
    objects, pods, questions = world
    known = timeline(*objects)
    outside = {end(address).address: address for address in _OUTSIDE}
    rows = []
    for question in questions:
        row: dict[str, Any] = {"protocol": _NUMBERS[question.protocol], "destination_port": question.port}
        for side, item in (("source", question.source), ("destination", question.destination)):
            row[f"{side}_index"] = None if item.endpoint is None else pods.index(item.endpoint)
            row[f"{side}_address"] = outside[item.address] if item.endpoint is None else item.endpoint.addresses[0]
        rows.append(row)
    for _ in range(2):  # the second time from memory
        judged = judge(matched(*rows, started_at_ns=START), Endpoints(pods), known).to_dicts()
        for question, row in zip(questions, judged, strict=True):
            trace = evaluate(_set(objects), question)
            assert row["policy_verdict"] == trace.verdict
            assert row["ingress_policies"] == [str(hit) for hit in trace.ingress.hits]
            assert row["egress_policies"] == [str(hit) for hit in trace.egress.hits]


@given(_worlds(), st.randoms(use_true_random=False))
@settings(max_examples=40)
def test_the_order_in_which_policies_come_is_irrelevant(world: Any, random: Any) -> None:
    objects, _, questions = world
    shuffled = _set(random.sample(objects, len(objects)))
    for question in questions:
        assert evaluate(_set(objects), question) == evaluate(shuffled, question)


@given(_worlds(), _rules(), st.integers(0, 3))
@settings(max_examples=40)
def test_an_allow_rule_before_all_others_denies_nothing(world: Any, rule: dict[str, Any], index: int) -> None:
    objects, _, questions = world
    widened = copy.deepcopy(objects)
    chosen = [item for item in widened if isinstance(item.spec, dict) and "egress" in item.spec and "tier" in item.spec]
    spec: Any = chosen[index % len(chosen)].spec
    spec.setdefault("types", [name.capitalize() for name in ("ingress", "egress") if spec[name]] or ["Ingress"])
    for name in ("ingress", "egress"):
        spec[name] = [{**rule, "action": "Allow"}, *spec[name]]
    before, after = _set(objects), _set(widened)
    for question in questions:
        for side in ("egress", "ingress", "pending_egress", "pending_ingress"):
            if getattr(evaluate(before, question), side).action in ("allow", "none"):
                assert getattr(evaluate(after, question), side).action != "deny"


@given(_worlds(), st.randoms(use_true_random=False))
@settings(max_examples=40)
def test_a_part_that_is_not_understood_makes_a_verdict_unknown_or_leaves_it(world: Any, random: Any) -> None:
    objects, _, questions = world
    broken = copy.deepcopy(objects)
    for item in broken:
        if isinstance(item.spec, dict) and "ingress" in item.spec and "tier" in item.spec:
            rules = [*item.spec["ingress"], *item.spec["egress"]]
            parts = [item.spec, *rules, *(rule[side] for rule in rules for side in ("source", "destination"))]
            random.choice(parts)["surprise"] = 1
    truth_set, broken_set = _set(objects), _set(broken)
    for question in questions:
        truth, answer = evaluate(truth_set, question), evaluate(broken_set, question)
        for side in ("egress", "ingress", "pending_egress", "pending_ingress"):
            assert getattr(answer, side).action in ("unknown", getattr(truth, side).action)


@given(_worlds())
@settings(max_examples=40)
def test_accounts_and_namespaces_that_nobody_tells_make_a_verdict_unknown_or_leave_it(world: Any) -> None:
    objects, _, questions = world
    blind = [item for item in objects if item.kind not in ("ServiceAccount", "Namespace")]
    truth_set, blind_set = _set(objects), _set(blind)
    for question in questions:
        truth, answer = evaluate(truth_set, question), evaluate(blind_set, question)
        assert answer.egress.action in ("unknown", truth.egress.action)
        assert answer.ingress.action in ("unknown", truth.ingress.action)


@given(_worlds())
@settings(max_examples=40)
def test_network_policies_alone_mean_the_same_under_calico(world: Any) -> None:
    objects, _, questions = world
    kubernetes = [item for item in objects if item.api_version.startswith("networking.k8s.io")]
    plain, tiered = _set(kubernetes), _set([*kubernetes, tier("app", 1.0)])
    for question in questions:
        assert evaluate(plain, question).verdict == evaluate(tiered, question).verdict
