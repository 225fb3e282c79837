"""Whether files are what was written, and entries follow each other without a hole. Every fault is one line."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import pairwise

from conntrail.report.chain.errors import ManifestError
from conntrail.report.chain.manifest import NAME, Entry, FileSum, PartSum, digest, parse_manifest

_ONE_DAY = timedelta(days=1)


def read_manifest(directory: str, content: bytes | None) -> Entry | str:
    """The entry, or the fault."""
    if content is None:
        return f"{directory}/{NAME} is missing, or cannot be read"
    try:
        entry = parse_manifest(content)
    except ManifestError as error:
        return f"{directory}/{NAME} {error}"
    if entry.directory != directory:
        return f"{directory}/{NAME} is that of {entry.directory}: directories were exchanged"
    return entry


def check_names(entry: Entry, names: Sequence[str]) -> Iterator[str]:
    """Files that are missing, and files that are no part of the report."""
    wanted = {NAME, *(file.name for file in entry.files)}
    for name in sorted(wanted - set(names)):
        yield f"{entry.directory}/{name} is missing"
    for name in sorted(set(names) - wanted):
        yield f"{entry.directory}/{name!r} is no part of the report: somebody added it"


def check_file(entry: Entry, file: FileSum, content: bytes) -> str | None:
    """Where a file differs from what was written; None when it does not."""
    if digest(content) == file.sha256 and len(content) == file.size_bytes:
        return None
    bad = [(start, part) for start, part in _starts(file) if _slice_digest(content, start, part) != part.sha256]
    where = f"{entry.directory}/{file.name}: "
    if not bad:
        added = len(content) - file.size_bytes
        return f"{where}{added} bytes were added at the end, which is byte {file.size_bytes}"
    first, section = bad[0][0], bad[0][1].section
    if len(content) != file.size_bytes:
        return (
            f"{where}bytes from {first} on (section {section}) are not as written: "
            f"{len(content)} bytes in all instead of {file.size_bytes}"
        )
    sections = ", ".join(dict.fromkeys(part.section for _, part in bad))
    last_start, last = bad[-1]
    return f"{where}bytes {first} to {last_start + last.size_bytes - 1} (section {sections}) are not as written"


def check_chain(entries: Sequence[Entry], *, head: str = "", after: str = "") -> Iterator[str]:
    """``head``: the last entry's hash as it was written down; ``after``: that of the last entry that was put away."""
    scopes = {entry.scope for entry in entries}
    if len(scopes) > 1:
        yield f"reports of several scopes: {', '.join(sorted(map(str, scopes)))}"
        return
    chain = chained(entries)
    if not chain:
        if head or after:
            yield "there is no final report whose hash could be compared"
        return
    faults = [*_check_begin(chain[0], after), *(fault for pair in pairwise(chain) for fault in _check_link(*pair))]
    yield from faults or _check_days(chain)
    if head and chain[-1].sha256 != head:
        yield (
            f"{chain[-1].directory} has the hash {chain[-1].sha256}, not {head}: "
            "later entries are missing, or the chain was written anew"
        )


def chained(entries: Sequence[Entry]) -> list[Entry]:
    """Final entries in their order."""
    return sorted((entry for entry in entries if entry.is_final), key=lambda entry: (_place(entry), entry.directory))


def amended(entries: Sequence[Entry]) -> list[tuple[Entry, Entry]]:
    """Each amendment, after what it amends."""
    known = {(entry.day, entry.revision): entry for entry in chained(entries)}
    pairs = ((known.get((entry.day, entry.revision - 1)), entry) for entry in chained(entries) if entry.revision)
    return [(before, entry) for before, entry in pairs if before is not None]


def _check_begin(first: Entry, after: str) -> Iterator[str]:
    if after and first.previous != after:
        yield f"{first.directory} does not follow the entry with the hash {after}"
    elif not after and first.sequence:
        yield (
            f"{first.directory} is entry {first.sequence} of the chain: the {first.sequence} before it are missing "
            "(when they were put away, give the hash of the last of them: --after)"
        )
    elif first.sequence == 0 and first.previous:
        yield f"{first.directory} is the first entry and yet follows another"


def _check_link(before: Entry, entry: Entry) -> Iterator[str]:
    missing = _place(entry) - _place(before) - 1
    if missing > 0:
        first, last = _place(before) + 1, _place(entry) - 1
        numbers = f"entry {first} of the chain is" if first == last else f"entries {first} to {last} of the chain are"
        yield f"between {before.directory} and {entry.directory} {numbers} missing"
    elif missing < 0:
        yield f"{before.directory} and {entry.directory} are both entry {entry.sequence} of the chain"
    elif entry.previous != before.sha256:
        yield f"{entry.directory} does not follow {before.directory} as that is now: one of both was written anew"


def _check_days(chain: Sequence[Entry]) -> Iterator[str]:
    known: dict[date, int] = {}
    is_whole = not chain[0].sequence
    for entry in chain:
        last = max(known, default=None)
        if entry.revision:
            if is_whole and known.get(entry.day) != entry.revision - 1:
                yield f"{entry.directory} amends a report that is not there"
        elif last is not None and entry.day != last + _ONE_DAY:
            yield f"after {last} comes {entry.day}: days do not follow each other"
        known[entry.day] = entry.revision


def _place(entry: Entry) -> int:
    return -1 if entry.sequence is None else entry.sequence


def _starts(file: FileSum) -> Iterator[tuple[int, PartSum]]:
    start = 0
    for part in file.parts:
        yield start, part
        start += part.size_bytes


def _slice_digest(content: bytes, start: int, part: PartSum) -> str:
    return digest(content[start : start + part.size_bytes])
