"""Directories of reports as `conntrail report --directory` writes them, without an Elasticsearch."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

from conntrail.report.chain.manifest import Entry, file_sum
from conntrail.report.chain.plan import period_of, place
from conntrail.report.chain.writer import write_entry
from conntrail.report.evidence.build import build_report
from conntrail.report.fact.facts import Facts, Scope
from conntrail.report.render.csv_file import csv_files
from conntrail.report.render.html_file import html_file
from conntrail.report.render.json_file import json_file
from tests.unit.conntrail.report.builders import CLUSTER, WINDOWS_OF_THE_DAY, Record, facts_of

FIRST_DAY = date(2026, 1, 29)


def day(number: int) -> date:
    return FIRST_DAY + timedelta(days=number)


def facts_of_day(number: int, windows: Iterable[Record] = WINDOWS_OF_THE_DAY) -> Facts:
    return facts_of(windows, period=period_of(day(number)))


def write_day(
    root: Path, entries: Sequence[Entry], number: int, *, windows: Iterable[Record] = WINDOWS_OF_THE_DAY,
    is_final: bool = True,
) -> Entry:  # fmt: skip
    """The next entry of a chain, or an amendment of a day that is there."""
    facts = facts_of_day(number, windows)
    final_at_ms = facts.period.until_ms + 86_400_000
    where = place(entries, day(number), is_final=is_final)
    made = build_report(facts, final_at_ms, final_at_ms if is_final else facts.period.until_ms)
    report = replace(made, revision=where.revision)
    files = [whole := json_file(report), html_file(report, file_sum(whole).sha256), *csv_files(report)]
    sums = tuple(map(file_sum, files))
    entry = Entry(Scope(CLUSTER), day(number), where.revision, where.sequence, where.previous, final_at_ms, sums)
    write_entry(root, entry, files)
    return entry


def write_chain(root: Path, count: int) -> list[Entry]:
    """Some days that follow each other."""
    entries: list[Entry] = []
    root.mkdir(exist_ok=True)
    for number in range(count):
        entries.append(write_day(root, entries, number))
    return entries
