"""A report as one canonical JSON object, a part a member."""

from collections.abc import Iterator

from conntrail.report.evidence.canonical import canonical
from conntrail.report.evidence.report import Report
from conntrail.report.render.part import File, file_of

NAME = "report.json"


def json_file(report: Report) -> File:
    """What all other renderings say too."""
    return file_of(NAME, _members(report))


def _members(report: Report) -> Iterator[tuple[str, bytes]]:
    """As ``canonical`` of the whole would write them."""
    before = b"{"
    for name, value in sorted(report.document().items()):
        yield name, before + canonical(name) + b":" + canonical(value)
        before = b","
    yield "end", b"}"
