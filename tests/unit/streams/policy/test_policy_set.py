"""Policies found by a label are those that asking each one finds, in the same order."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from streams.policy.object import PolicyObject
from streams.policy.question import Direction
from tests.unit.streams.policy.builders import pod, policies

_LABELS = st.dictionaries(st.sampled_from("ab"), st.sampled_from("xy"), max_size=2)
_EXPRESSIONS = st.lists(
    st.builds(
        lambda key, values, operator: {"key": key, "operator": operator, "values": values},
        st.sampled_from("ab"),
        st.lists(st.sampled_from("xy"), min_size=1, max_size=2),
        st.sampled_from(["In", "NotIn"]),
    ),
    max_size=2,
)
_SPECS = st.fixed_dictionaries(
    {
        "podSelector": st.fixed_dictionaries({"matchLabels": _LABELS, "matchExpressions": _EXPRESSIONS}),
        "policyTypes": st.sampled_from([["Ingress"], ["Egress"], ["Ingress", "Egress"]]),
    }
)


@given(st.lists(st.tuples(_SPECS, st.sampled_from(["shop", "bank"])), max_size=6), _LABELS)
def test_the_index_finds_what_asking_each_finds(specs: list[tuple[Any, str]], labels: dict[str, str]) -> None:
    found = policies(*(_policy(f"policy{number}", *spec) for number, spec in enumerate(specs)))
    for namespace in ("shop", "bank", "elsewhere"):
        asking = pod("asking", namespace, labels=labels)
        directions: tuple[Direction, ...] = ("ingress", "egress")
        for direction in directions:
            chosen = [item.policy for _, group in found.select(asking, direction).tiers for item in group]
            assert chosen == [
                policy
                for policy in found.policies
                if policy.rules(direction) is not None and policy.subject.selects(asking)
            ]


def _policy(name: str, spec: Any, namespace: str) -> PolicyObject:
    return PolicyObject("networking.k8s.io/v1", "NetworkPolicy", namespace, name, "", spec)
