"""What `conntrail report verify` does."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from conntrail.errors import CommandError
from conntrail.report.chain.check import amended, chained, check_chain, check_file, check_names, read_manifest
from conntrail.report.chain.difference import SectionChange, differences
from conntrail.report.chain.manifest import Entry
from conntrail.report.chain.reader import file_names, read_file, read_manifests
from conntrail.report.render.json_file import NAME as REPORT_NAME


@dataclass(frozen=True, slots=True)
class Checked:
    """What became of a check."""

    entries: tuple[Entry, ...]
    faults: tuple[str, ...]
    """A line each; none when all is as it was written."""


def verify(root: Path, head: str, after: str) -> Checked:
    """Check every byte of a directory and how its entries follow each other. Raises CommandError when there is none."""
    entries, faults = _read_entries(root)
    if not entries and not faults:
        raise CommandError(f"{root} holds no report: give a directory that conntrail report --directory wrote")
    # Where a manifest is gone or changed, its neighbours would only say so again.
    faults = faults or list(check_chain(entries, head=head, after=after))
    for entry in entries:
        faults += _file_faults(root, entry)
    return Checked(tuple(entries), tuple(faults))


def sound_entries(root: Path) -> list[Entry]:
    """What there is to go on from. Raises CommandError: a broken chain is not continued."""
    entries, faults = _read_entries(root)
    chain = chained(entries)
    faults = faults or list(check_chain(entries, after=chain[0].previous if chain else ""))
    if faults:
        raise CommandError(f"{faults[0]}; a broken chain is not continued: mend it, or give a new --directory")
    return entries


def amendments(root: Path, entries: Sequence[Entry]) -> Iterator[tuple[Entry, list[SectionChange]]]:
    """What each amendment changed."""
    for before, entry in amended(entries):
        documents = [read_file(root / one.directory / REPORT_NAME) for one in (before, entry)]
        was, now = (json.loads(content) if content else {} for content in documents)
        yield entry, differences(was, now)


def _read_entries(root: Path) -> tuple[list[Entry], list[str]]:
    """And the faults of manifests."""
    found = [read_manifest(directory, content) for directory, content in read_manifests(root)]
    return [one for one in found if isinstance(one, Entry)], [one for one in found if isinstance(one, str)]


def _file_faults(root: Path, entry: Entry) -> Iterator[str]:
    names = file_names(root / entry.directory)
    yield from check_names(entry, names)
    for file in entry.files:
        if file.name in names:
            content = read_file(root / entry.directory / file.name)
            name = f"{entry.directory}/{file.name}"
            fault = f"{name} cannot be read" if content is None else check_file(entry, file, content)
            if fault is not None:
                yield fault
