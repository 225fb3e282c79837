"""The rules that ship with this package: constants, which happen to be files (as schemas/schema.py has them)."""

from functools import cache
from importlib.resources import files

from streams.alert.rule.parse import Parsed, merged, parse_rules
from streams.alert.rule.rule import Rule


@cache
def builtin_rules() -> tuple[Rule, ...]:
    """All of them, those that are not enabled too."""
    parsed = builtin_files()
    assert not parsed.faults, [str(fault) for fault in parsed.faults]
    return parsed.rules


def builtin_files() -> Parsed:
    """As the parser found them."""
    folder = files("streams.alert").joinpath("rules")
    names = sorted(item.name for item in folder.iterdir() if item.name.endswith(".yaml"))
    return merged(parse_rules(folder.joinpath(name).read_text(encoding="utf-8"), name) for name in names)
