"""``--not``: which of the values that were typed are to be excluded."""

from collections.abc import Mapping, Sequence

from conntrail.observe.condition import AnyCondition, FilterError, Not
from conntrail.observe.selection import FILTERS, selected

Values = Mapping[str, Sequence[str]]
_Lists = dict[str, list[str]]


def conditions(values: Values, order: Sequence[str]) -> list[AnyCondition]:
    """All that must hold: each kind of filter has one of its values, and none of those behind ``not``.

    ``order``: names of the options as they were typed, once for each time. Raises FilterError.
    """
    wanted, excluded = _split(values, _negations(order))
    return [*selected(wanted), *map(Not, selected(excluded))]


def _negations(order: Sequence[str]) -> dict[str, list[bool]]:
    """Of each filter's values, in order, whether ``not`` stands right before it."""
    found: dict[str, list[bool]] = {name: [] for name in FILTERS}
    is_next = False
    for name in order:
        if is_next and name not in FILTERS:
            break
        if name in FILTERS:
            found[name].append(is_next)
        is_next = name == "not"
    if is_next:
        raise FilterError("--not negates the filter that follows it, as in --not --namespace kube-system: none does")
    return found


def _split(
    values: Values, negations: Mapping[str, Sequence[bool]]
) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    parts: tuple[dict[str, list[str]], dict[str, list[str]]] = ({}, {})
    for name, texts in values.items():
        for text, is_negated in zip(texts, negations[name], strict=True):
            parts[is_negated].setdefault(name, []).append(text)
    return parts
