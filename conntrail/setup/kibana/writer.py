"""Writes the objects into files, for those who import them by hand."""

import json
from collections.abc import Sequence
from pathlib import Path

from conntrail.errors import CommandError
from conntrail.setup.kibana.bundle import FILE, rule_body, saved_objects
from conntrail.setup.kibana.model import Rule, Source
from conntrail.setup.kibana.saved_object import to_ndjson


def write_kibana(directory: Path, source: Source) -> None:
    """One file to import, and an example rule a file. Raises CommandError when they cannot be written."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        (directory / FILE).write_text(to_ndjson(saved_objects(source)), encoding="utf-8")
        _write_rules(directory / "rules", source.rules)
    except OSError as error:
        raise CommandError(f"{error.filename or directory} cannot be written: {error.strerror}") from error


def _write_rules(directory: Path, rules: Sequence[Rule]) -> None:
    directory.mkdir(exist_ok=True)
    for rule in rules:
        text = json.dumps(rule_body(rule), indent=2, ensure_ascii=False) + "\n"
        (directory / f"{rule.id}.json").write_text(text, encoding="utf-8")
