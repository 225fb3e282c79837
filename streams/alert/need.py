"""Which measures must be kept with a finding: those of its texts, its group and its inhibitions."""

from collections.abc import Mapping

from streams.alert.life.inhibition import Inhibitions
from streams.alert.rule.rule import Rule


def needed_measures(rules: Mapping[str, Rule], inhibitions: Inhibitions) -> dict[str, frozenset[str]]:
    """By rule."""
    return {identity: frozenset(_needed(rule) | inhibitions.names(identity)) for identity, rule in rules.items()}


def _needed(rule: Rule) -> set[str]:
    texts = [text for text in (rule.text, rule.group_text) if text is not None]
    return {name for text in texts for _, name in text.parts if name} | set(rule.group_by)
