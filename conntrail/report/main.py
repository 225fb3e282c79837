"""What `conntrail report` does: reads a period, or days, and writes them."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from conntrail.errors import CommandError
from conntrail.policy.history.period import Period
from conntrail.report.chain.check import check_file
from conntrail.report.chain.difference import differences
from conntrail.report.chain.main import sound_entries
from conntrail.report.chain.manifest import Entry, file_sum
from conntrail.report.chain.plan import day_of, days, latest, period_of, place, require_scope
from conntrail.report.chain.reader import read_file
from conntrail.report.chain.writer import alone, write_entry
from conntrail.report.evidence.build import build_report, due_at
from conntrail.report.evidence.report import MS_PER_SECOND, Report
from conntrail.report.fact.facts import Scope
from conntrail.report.reader import EvidenceIndex
from conntrail.report.render.csv_file import csv_files
from conntrail.report.render.html_file import html_file
from conntrail.report.render.json_file import NAME as REPORT_NAME
from conntrail.report.render.json_file import json_file
from conntrail.report.render.part import File
from runtime.settings import Settings

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Order:
    """Days that are wanted in a directory."""

    root: Path
    scope: Scope
    since: date | None
    until: date | None
    final_after_ms: int
    """How long after its end a day can still change."""
    may_amend: bool


def period_report(settings: Settings, namespace: str, period: Period, final_after_ms: int, say: Say) -> Report:
    """Of any period. Raises CommandError when Elasticsearch cannot be read."""
    index, scope = EvidenceIndex(settings), Scope(settings.cluster, namespace)
    try:
        final_at_ms, now_ms = period.until_ms + final_after_ms, _now_ms()
        facts = index.read(scope, period, due_at(period, final_at_ms, now_ms))
        if not facts.windows.total():
            names = ", ".join(index.namespaces(Scope(settings.cluster))) or "none"
            say(f"there was no traffic of {scope} in this time; some namespaces that have any: {names}")
        return build_report(facts, final_at_ms, now_ms)
    finally:
        index.close()


def write_days(settings: Settings, order: Order, say: Say) -> list[Entry]:
    """Write what is wanted; return the entries that are there then. Raises CommandError."""
    index = EvidenceIndex(settings)
    try:
        with alone(order.root):
            entries = sound_entries(order.root)
            require_scope(entries, order.scope, str(order.root))
            for day in days(entries, order.since, order.until, day_of(_now_ms())):
                written = _write_day(index, order, day, entries)
                if written is None:
                    say(f"{day}: unchanged since it was written")
                    continue
                entries = [*(entry for entry in entries if entry.directory != written.directory), written]
                say(f"{written.directory}: {'final' if written.is_final else 'provisional'}")
            return entries
    finally:
        index.close()


def _write_day(index: EvidenceIndex, order: Order, day: date, entries: list[Entry]) -> Entry | None:
    """None when what is there still says what the data say."""
    known, period = latest(entries, day), period_of(day)
    final_at_ms = period.until_ms + order.final_after_ms if known is None else known.final_at_ms
    now_ms = _now_ms() if known is None else final_at_ms
    facts = index.read(order.scope, period, due_at(period, final_at_ms, now_ms))
    report = build_report(facts, final_at_ms, now_ms)
    if known is not None:
        changed = _changed(order.root, known, json_file(replace(report, revision=known.revision)))
        if not changed:
            return None
        if not order.may_amend:
            raise CommandError(
                f"{day} reads otherwise than {known.directory} ({changed}): write an amendment with --amend"
            )
    where = place(entries, day, is_final=report.is_final)
    files = _files(replace(report, revision=where.revision))
    sums = tuple(map(file_sum, files))
    entry = Entry(order.scope, day, where.revision, where.sequence, where.previous, final_at_ms, sums)
    write_entry(order.root, entry, files)
    return entry


def _files(report: Report) -> list[File]:
    whole = json_file(report)
    return [whole, html_file(report, file_sum(whole).sha256), *csv_files(report)]


def _changed(root: Path, known: Entry, whole: File) -> str:
    """In words; empty when the same data still say the same."""
    content = read_file(root / known.directory / REPORT_NAME) or b""
    faults = [check_file(known, file, content) for file in known.files if file.name == REPORT_NAME]
    if faults != [None]:
        where = f"{known.directory}/{REPORT_NAME} is gone" if not faults else faults[0]
        raise CommandError(f"{where}: see conntrail report verify {root}")
    if content == whole.content:
        return ""
    return ", ".join(map(str, differences(json.loads(content), json.loads(whole.content)))) or "in form"


def _now_ms() -> int:
    return int(time.time() * MS_PER_SECOND)
