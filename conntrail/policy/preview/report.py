"""A preview as Markdown, for a pull request."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from conntrail.policy.preview.finding import EFFECTS, Effect, Finding
from conntrail.text import printable

_TITLES: Final[dict[Effect, str]] = {
    "breaks": "Would break: seen allowed, denied by the changed policies",
    "allows": "Newly allowed: seen denied, let through by the changed policies",
    "undecided": "Not decidable: the changed policies use what cannot be evaluated",
    "unknown-ends": "Not replayed: nobody knows any more what pods these were",
}
_SHOWN: Final = 200
"""Rows of a table; a pull request is no place for more."""


def summary(found: Sequence[Finding], records: int) -> str:
    """One line."""
    counts = {effect: sum(finding.effect == effect for finding in found) for effect in EFFECTS}
    return (
        f"of {records} records of traffic {counts['breaks']} would break, {counts['allows']} are newly allowed, "
        f"{counts['undecided']} not decidable, {counts['unknown-ends']} not replayed"
    )


def markdown(found: Sequence[Finding], records: int, period: str) -> str:
    """The summary, then a table for each effect that there is."""
    lines = ["## Policy preview", "", f"{period}: {summary(found, records)}."]
    for effect in EFFECTS:
        chosen = [finding for finding in found if finding.effect == effect]
        if chosen:
            lines += ["", f"### {_TITLES[effect]}", "", *_table(chosen)]
    return "\n".join([*lines, ""])


def _table(found: Sequence[Finding]) -> Iterator[str]:
    yield "| source | destination | port | connections | by |"
    yield "|---|---|---|---|---|"
    for finding in found[:_SHOWN]:
        key = finding.seen.key
        port = f"{key.protocol} {key.port}" if key.port else key.protocol
        cells = (_code([str(key.source)]), _code([str(key.destination)]), port, str(finding.seen.connections))
        yield f"| {' | '.join(cells)} | {_code(finding.by)} |"
    if len(found) > _SHOWN:
        yield f"| … | and {len(found) - _SHOWN} more | | | |"


def _code(texts: Iterable[str]) -> str:
    """Names are anybody's: they stand as code, and end neither the code nor the cell."""
    return " ".join(f"`{printable(text).replace('`', chr(39)).replace('|', '/')}`" for text in texts)
