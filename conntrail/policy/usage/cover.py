"""Whether one rule lets through, or stops, everything that another one speaks of; never says so without proof."""

from collections.abc import Mapping

from streams.policy.condition import Condition, InNetwork, PodsAcross, PodsIn, PortRange
from streams.policy.policy import Policy, Rule, Subject
from streams.policy.selector import LabelMatch, LabelSelector, Requirement

Namespaces = Mapping[str, Mapping[str, str]]
"""Labels by name."""


def covers_rule(wide: Rule, narrow: Rule, namespaces: Namespaces) -> bool:
    """Whether whatever the narrow rule matches, the wide one matches too."""
    return _covers_all(wide.peers, narrow.peers, namespaces) and _covers_all(wide.ports, narrow.ports, namespaces)


def covers_subject(wide: object, narrow: object) -> bool:
    """Whether every pod that the narrow subject selects is selected by the wide one; of other sorts nothing is said."""
    if not isinstance(wide, Subject) or not isinstance(narrow, Subject):
        return False
    if wide.is_doubtful or narrow.is_doubtful:
        return False
    if wide.namespace is not None and wide.namespace != narrow.namespace:
        return False
    return covers_labels(wide.namespaces, narrow.namespaces) and covers_labels(wide.pods, narrow.pods)


def is_shadowed(narrow: Rule, owner: Policy, wide: Rule, by: Policy, namespaces: Namespaces) -> bool:
    """Whether the narrow rule changes nothing because of the wide one, which stands before it or beside it.

    Where the union decides, only an allowing rule beside it makes it idle; elsewhere any rule before it does.
    """
    if owner.tier != by.tier or by.is_staged or owner.is_opaque or by.is_opaque or by.faults:
        return False
    if not covers_subject(by.subject, owner.subject) or not covers_rule(wide, narrow, namespaces):
        return False
    if owner.tier.combine == "union":
        return wide.action == narrow.action
    return by is owner or by.order < owner.order


def covers_labels(wide: LabelMatch, narrow: LabelMatch) -> bool:
    """Whether every set of labels that the narrow selector takes is taken by the wide one."""
    if wide == narrow:
        return True
    if not isinstance(wide, LabelSelector):
        return False
    if not wide.requirements:
        return True
    if not isinstance(narrow, LabelSelector):
        return False
    return all(any(_implies(given, wanted) for given in narrow.requirements) for wanted in wide.requirements)


def _implies(given: Requirement, wanted: Requirement) -> bool:
    if given == wanted:
        return True
    if given.key != wanted.key:
        return False
    match wanted.operator:
        case "In":
            return given.operator == "In" and given.values <= wanted.values
        case "Exists":
            return given.operator == "In"
        case "NotIn":
            if given.operator == "In":
                return not given.values & wanted.values
            return given.operator == "DoesNotExist" or (given.operator == "NotIn" and given.values >= wanted.values)
        case "DoesNotExist":
            return False


def _covers_all(
    wide: tuple[Condition, ...] | None, narrow: tuple[Condition, ...] | None, namespaces: Namespaces
) -> bool:
    if wide is None:
        return True
    if narrow is None:
        return False
    return all(any(covers(one, other, namespaces) for one in wide) for other in narrow)


def covers(wide: Condition, narrow: Condition, namespaces: Namespaces) -> bool:
    """Whether one alternative holds wherever the other does."""
    match wide, narrow:
        case PortRange(), PortRange():
            return wide.protocol == narrow.protocol and wide.first <= narrow.first and narrow.last <= wide.last
        case PodsIn(), PodsIn():
            return wide.namespace == narrow.namespace and covers_labels(wide.pods, narrow.pods)
        case PodsAcross(), PodsAcross():
            return covers_labels(wide.namespaces, narrow.namespaces) and covers_labels(wide.pods, narrow.pods)
        case PodsAcross(), PodsIn():
            labels = namespaces.get(narrow.namespace)
            return labels is not None and wide.namespaces.matches(labels) and covers_labels(wide.pods, narrow.pods)
        case InNetwork(), InNetwork():
            return wide.block.covers(narrow.block) and all(
                any(kept.covers(hole) for kept in narrow.exceptions)
                or not (
                    hole.version == narrow.block.version
                    and hole.first <= narrow.block.last
                    and narrow.block.first <= hole.last
                )
                for hole in wide.exceptions
            )
        case _:
            return wide == narrow
