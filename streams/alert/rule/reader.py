"""Reads the rules of an operator, which stand beside the built-in ones or replace them."""

from pathlib import Path

from streams.alert.rule.builtin import builtin_files
from streams.alert.rule.fault import Fault
from streams.alert.rule.parse import Parsed, merged, parse_rules


def read_rules(path: str) -> Parsed:
    """The built-in rules with those of a YAML file, or of all such files in a directory; no path means none."""
    files = [builtin_files()]
    try:
        files += [parse_rules(found.read_text(encoding="utf-8"), str(found)) for found in _found(path)]
    except (OSError, UnicodeDecodeError) as error:
        return Parsed((), (Fault(path, 0, getattr(error, "strerror", None) or str(error)),))
    return merged(files)


def _found(path: str) -> list[Path]:
    place = Path(path)
    if not path:
        return []
    return sorted([*place.glob("*.yaml"), *place.glob("*.yml")]) if place.is_dir() else [place]
