"""Label selectors of the Kubernetes API: all requirements hold, an empty selector selects all.

Meaning: k8s.io/apimachinery LabelSelectorAsSelector; NotIn and DoesNotExist hold when the key is missing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from streams.policy.fault import PolicyFault
from streams.policy.field import as_list, as_mapping, as_text, as_texts, refuse_unknown, show

Operator = Literal["In", "NotIn", "Exists", "DoesNotExist"]
_FIELDS = frozenset({"matchLabels", "matchExpressions"})
_REQUIREMENT_FIELDS = frozenset({"key", "operator", "values"})


class LabelMatch(Protocol):
    """Whatever selects by labels; other policy languages bring their own."""

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Tell whether these labels are selected."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One requirement on one key."""

    key: str
    operator: Operator
    values: frozenset[str] = frozenset()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Tell whether the labels meet it."""
        value = labels.get(self.key)
        if self.operator == "In":
            return value is not None and value in self.values
        if self.operator == "NotIn":
            return value is None or value not in self.values
        return (value is not None) == (self.operator == "Exists")


@dataclass(frozen=True, slots=True)
class LabelSelector:
    """All of its requirements."""

    requirements: tuple[Requirement, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Tell whether the labels meet every requirement."""
        for requirement in self.requirements:  # noqa: SIM110 - the innermost loop: all() makes a generator each time
            if not requirement.matches(labels):
                return False
        return True

    def required_label(self) -> tuple[str, str] | None:
        """One label without which nothing is selected, by which selectors can be found; None where there is none."""
        for requirement in self.requirements:
            if requirement.operator == "In" and len(requirement.values) == 1:
                return requirement.key, next(iter(requirement.values))
        return None


EVERYTHING = LabelSelector()


def parse_selector(raw: object, where: str) -> LabelSelector:
    """Compile a LabelSelector. Raise PolicyFault when the API server would refuse it or a field is not known."""
    selector = as_mapping(raw, where)
    refuse_unknown(selector, _FIELDS, where)
    labels = as_mapping(selector.get("matchLabels"), f"{where}.matchLabels")
    requirements = [
        Requirement(key, "In", frozenset({as_text(value, f"{where}.matchLabels.{key}")}))
        for key, value in labels.items()
    ]
    expressions = f"{where}.matchExpressions"
    requirements += [
        _parse_requirement(item, f"{expressions}[{index}]")
        for index, item in enumerate(as_list(selector.get("matchExpressions"), expressions))
    ]
    return LabelSelector(tuple(requirements))


def _parse_requirement(raw: object, where: str) -> Requirement:
    requirement = as_mapping(raw, where)
    refuse_unknown(requirement, _REQUIREMENT_FIELDS, where)
    key = as_text(requirement.get("key"), f"{where}.key")
    values = frozenset(as_texts(requirement.get("values"), f"{where}.values"))
    match requirement.get("operator"):
        case "In" | "NotIn" as operator:
            if not values:
                raise PolicyFault(f"{where}: {operator} needs values")
            return Requirement(key, operator, values)
        case "Exists" | "DoesNotExist" as operator:
            if values:
                raise PolicyFault(f"{where}: {operator} takes no values")
            return Requirement(key, operator)
        case other:
            raise PolicyFault(f"{where}.operator: expected In, NotIn, Exists or DoesNotExist, got {show(other)}")
