"""Templates of texts: names of measures in braces, nothing else, so that no record can make one say or do more."""

from dataclasses import dataclass
from string import Formatter
from typing import Final

from streams.alert.rule.condition import Facts, Value
from streams.alert.rule.fault import RuleError

_MAXIMUM_VALUE: Final = 200
_MAXIMUM_TEXT: Final = 1000


@dataclass(frozen=True, slots=True)
class Text:
    """``parts``: what stands before each name, and the name; the last name may be empty."""

    parts: tuple[tuple[str, str], ...]

    def filled(self, facts: Facts) -> str:
        """One line, cut to 1,000 characters. What is not known is a question mark."""
        return "".join(before + (_shown(facts.get(name, "?")) if name else "") for before, name in self.parts)[
            :_MAXIMUM_TEXT
        ]


def parse_text(text: str, names: frozenset[str]) -> Text:
    """Raise RuleError for a name that is not among ``names``, and for anything else in braces."""
    try:
        found = list(Formatter().parse(text))
    except ValueError as error:
        raise RuleError(str(error)) from error
    for _, name, form, conversion in found:
        if form or conversion:
            raise RuleError(f"only a name may stand in braces, not {name}{'!' if conversion else ':'}…")
        if name is not None and name not in names:
            raise RuleError(f"{{{name}}} is nothing known here; known are {', '.join(sorted(names))}")
    return Text(tuple((before, name or "") for before, name, _, _ in found))


def _shown(value: Value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float | int):
        return f"{value:.0f}" if float(value).is_integer() else f"{value:.3g}"
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in value[:_MAXIMUM_VALUE])
