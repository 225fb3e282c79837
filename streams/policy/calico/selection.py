"""Which pods and which sets of networks a policy or a rule of Calico selects.

Several fields make one selector, as in Calico itself: namespaces and service accounts are asked for by prefixed labels
(projectcalico/calico, updateprocessors, rules of entities).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from streams.metadata.endpoint import Endpoint
from streams.policy.calico.expression import (
    ALL,
    Among,
    Compare,
    Everything,
    Expression,
    Has,
    Not,
    both,
    keys,
    translate,
)
from streams.policy.calico.labels import (
    ACCOUNT,
    ACCOUNT_PREFIX,
    NAMESPACE,
    NAMESPACE_PREFIX,
    Accounts,
    PodLabels,
    SetLabels,
)
from streams.policy.calico.parse import parse_expression
from streams.policy.combination import AllOf, AnyOf
from streams.policy.condition import Condition, InNetworks, NamedBy, Unknown
from streams.policy.field import as_mapping, as_texts, refuse_unknown
from streams.policy.question import Direction, Question
from streams.policy.reference import ReferringCondition, ReferringSubject
from streams.policy.referent import NetworkSet, ReferentKind, Referents


@dataclass(frozen=True, slots=True)
class SelectedPods:
    """Pods by a selector of Calico; never an address."""

    expression: Expression
    accounts: Accounts = field(default_factory=dict, compare=False)

    def holds(self, question: Question, direction: Direction) -> bool | None:
        """Pods on the host's network are the node to Calico."""
        pod = question.peer(direction).pod
        return False if pod is None else self.expression.matches(PodLabels(pod, self.accounts))


@dataclass(frozen=True, slots=True)
class Selected(ReferringCondition):
    """Pods and sets of networks by one selector; the sets are found once all of them are known."""

    expression: Expression

    def holds(self, question: Question, direction: Direction) -> bool | None:
        """As if there were no sets."""
        return SelectedPods(self.expression).holds(question, direction)

    def resolve(self, referents: Referents) -> Condition:
        """Put the networks of the selected sets in."""
        found: list[Condition] = [SelectedPods(self.expression, referents.accounts)]
        for item in referents.network_sets:
            found += self._parts_of(item, self.expression.matches(SetLabels(item, referents)))
        return found[0] if len(found) == 1 else AnyOf(tuple(found))

    def kinds(self) -> frozenset[ReferentKind]:
        """Sets of networks, and whose labels are asked for."""
        return _kinds_asked(self.expression) | {"network_set"}

    def lacks(self, referents: Referents) -> Iterator[str]:
        """Name what of accounts and sets is not known."""
        yield from _lacks_accounts(self.expression, referents)
        for item in referents.network_sets:
            is_selected = self.expression.matches(SetLabels(item, referents))
            if is_selected is None or (is_selected and item.is_doubtful):
                yield _doubt(item)

    @staticmethod
    def _parts_of(item: NetworkSet, is_selected: bool | None) -> Iterator[Condition]:
        if is_selected is False:
            return
        if item.is_doubtful:
            yield Unknown(_doubt(item))
        elif is_selected is None:
            named = map(NamedBy, item.domains)
            yield AllOf((AnyOf((InNetworks(item.networks), *named)), Unknown(_doubt(item))))
        else:
            yield InNetworks(item.networks)
            yield from map(NamedBy, item.domains)


def _doubt(item: NetworkSet) -> str:
    name = f"NetworkSet {item.namespace}/{item.name}" if item.namespace else f"GlobalNetworkSet {item.name}"
    return f"{name} cannot be read" if item.is_doubtful else f"the labels of the namespace of {name} are not known"


def _kinds_asked(expression: Expression) -> frozenset[ReferentKind]:
    prefixes: dict[str, ReferentKind] = {ACCOUNT_PREFIX: "service_account", NAMESPACE_PREFIX: "namespace"}
    asked = list(keys(expression))
    return frozenset(kind for prefix, kind in prefixes.items() if any(key.startswith(prefix) for key in asked))


def _lacks_accounts(expression: Expression, referents: Referents) -> Iterator[str]:
    """Name the labels of service accounts if they are asked for and none is known."""
    if not referents.accounts and any(key.startswith(ACCOUNT_PREFIX) for key in keys(expression)):
        yield "the labels of ServiceAccounts are not known"


@dataclass(frozen=True, slots=True)
class SelectedSubject(ReferringSubject):
    """The pods that a policy is about."""

    namespace: str | None
    expression: Expression
    is_doubtful: bool = False
    accounts: Accounts = field(default_factory=dict, compare=False)

    def selects(self, pod: Endpoint) -> bool | None:
        """Tell whether the policy is about this pod."""
        if self.namespace is not None and pod.namespace != self.namespace:
            return False
        answer = self.expression.matches(PodLabels(pod, self.accounts))
        return None if answer and self.is_doubtful else answer

    def resolve(self, referents: Referents) -> "SelectedSubject":
        """Learn the labels of service accounts."""
        return replace(self, accounts=referents.accounts)

    def kinds(self) -> frozenset[ReferentKind]:
        """Service accounts; a pod brings the labels of its namespace along."""
        return _kinds_asked(self.expression) - {"namespace"}

    def lacks(self, referents: Referents) -> Iterator[str]:
        """Name the labels of service accounts if they are not known."""
        yield from _lacks_accounts(self.expression, referents)


def parse_namespaces(raw: object, where: str) -> Expression:
    """``all()`` is every namespace, ``global()`` what is in none."""
    return ALL if raw in (None, "") else translate(parse_expression(raw, where), _ask_namespace)


def _ask_namespace(leaf: Expression) -> Expression:
    if isinstance(leaf, Everything):
        return Not(Has(NAMESPACE)) if leaf.is_global else Has(NAMESPACE)
    return _prefix(leaf, NAMESPACE_PREFIX)


def parse_accounts(raw: object, where: str) -> Expression:
    """A selector of service accounts by their labels."""
    return translate(parse_expression(raw, where), lambda leaf: _prefix(leaf, ACCOUNT_PREFIX))


def parse_account_match(raw: object, where: str) -> Expression:
    """Service accounts by names and by labels; both must match."""
    match: Mapping[str, object] = as_mapping(raw, where)
    refuse_unknown(match, frozenset({"names", "selector"}), where)
    names = as_texts(match.get("names"), f"{where}.names")
    named: Expression = Among(ACCOUNT, frozenset(names)) if names else ALL
    return both(iter((parse_accounts(match.get("selector"), f"{where}.selector"), named)))


def in_namespace(namespace: str) -> Expression:
    """What is in this one."""
    return Compare(NAMESPACE, "==", namespace)


def _prefix(leaf: Expression, prefix: str) -> Expression:
    match leaf:
        case Has(key):
            return Has(prefix + key)
        case Compare(key, operator, operand):
            return Compare(prefix + key, operator, operand)
        case Among(key, values, is_negated):
            return Among(prefix + key, values, is_negated)
        case _:
            return leaf
