"""What was written is checked to the last byte: each change is one clear line, and the exit status is 1."""

import re
import shutil
from pathlib import Path

import pytest
from click.testing import Result
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from conntrail.report.chain.manifest import NAME, Entry, manifest_text, parse_manifest
from conntrail.report.command import app
from conntrail.report.render.part import BLOCK_BYTES
from tests.unit.conntrail.report.builders import API, WEB, WINDOWS_OF_THE_DAY, window
from tests.unit.conntrail.report.days import write_chain, write_day

LATE = window(WEB, API, 9999, started=1)


def verify(root: Path, *options: str) -> Result:
    return CliRunner().invoke(app, ["verify", str(root), *options])


def fault(root: Path, *options: str) -> str:
    """The one line that says what is wrong."""
    result = verify(root, *options)
    assert result.exit_code == 1, result.output
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    return str(line)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("reports") / "evidence"
    write_chain(root, 3)
    return root


@pytest.fixture
def copied(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(written, tmp_path / "evidence"))


def entry_in(root: Path, directory: str) -> Entry:
    return parse_manifest((root / directory / NAME).read_bytes())


def test_what_was_written_is_in_order(written: Path) -> None:
    result = verify(written)
    assert result.exit_code == 0, result.output
    assert "3 final entries, unbroken" in result.stderr
    assert verify(written, "--head", entry_in(written, "2026-01-31").sha256.upper()).exit_code == 0


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_one_changed_byte_anywhere_is_found_and_its_place_is_named(written: Path, data: st.DataObject) -> None:
    files = sorted(path for path in written.rglob("*") if path.is_file())
    path = data.draw(st.sampled_from(files))
    before = path.read_bytes()
    offset = data.draw(st.integers(0, len(before) - 1))
    after = bytearray(before)
    after[offset] ^= data.draw(st.integers(1, 255))
    path.write_bytes(after)
    try:
        line = fault(written)
    finally:
        path.write_bytes(before)
    assert f"{path.parent.name}/{path.name}" in line
    if path.name != NAME:
        found = re.search(r"bytes (\d+) to (\d+) \(section (\w+)\)", line)
        assert found is not None, line
        assert int(found[1]) <= offset <= int(found[2]) < int(found[1]) + BLOCK_BYTES


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_bytes_that_were_cut_out_or_put_in_are_found(written: Path, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(sorted(written.rglob("*.*"))).filter(Path.is_file))
    before = path.read_bytes()
    offset = data.draw(st.integers(0, len(before)))
    after = before[:offset] + data.draw(st.binary(max_size=3)) + before[offset + data.draw(st.integers(0, 3)) :]
    path.write_bytes(after)
    try:
        if after != before:
            assert f"{path.parent.name}/{path.name}" in fault(written)
    finally:
        path.write_bytes(before)


def test_the_section_is_named(copied: Path) -> None:
    path = copied / "2026-01-30" / "denials.csv"
    path.write_bytes(path.read_bytes().replace(b"intruder", b"innocent", 1))
    assert "2026-01-30/denials.csv: bytes 0 to " in fault(copied)
    assert "(section denials) are not as written" in fault(copied)


def test_a_file_that_is_gone_or_was_added_is_named(copied: Path) -> None:
    (copied / "2026-01-30" / "traffic.csv").rename(copied / "2026-01-30" / "note.txt")
    result = verify(copied)
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "conntrail report: 2026-01-30/traffic.csv is missing",
        "conntrail report: 2026-01-30/'note.txt' is no part of the report: somebody added it",
    ]


def test_a_day_that_is_gone_is_missed(copied: Path) -> None:
    shutil.rmtree(copied / "2026-01-30")
    assert "between 2026-01-29 and 2026-01-31 entry 1 of the chain is missing" in fault(copied)


def test_days_that_are_gone_are_missed_as_a_span(copied: Path) -> None:
    entries = [entry_in(copied, name) for name in ("2026-01-29", "2026-01-30", "2026-01-31")]
    write_day(copied, entries, 3)
    for name in ("2026-01-30", "2026-01-31"):
        shutil.rmtree(copied / name)
    assert "entries 1 to 2 of the chain are missing" in fault(copied)


def test_the_begin_of_the_chain_may_be_put_away_with_its_hash_alone(copied: Path) -> None:
    first = entry_in(copied, "2026-01-29")
    shutil.rmtree(copied / "2026-01-29")
    assert "the 1 before it are missing" in fault(copied)
    assert "does not follow the entry with the hash" in fault(copied, "--after", "0" * 64)
    assert verify(copied, "--after", first.sha256).exit_code == 0


def test_a_day_that_was_written_anew_breaks_the_link(copied: Path) -> None:
    entries = [entry_in(copied, name) for name in ("2026-01-29",)]
    shutil.rmtree(copied / "2026-01-30")
    write_day(copied, entries, 1, windows=[*WINDOWS_OF_THE_DAY, LATE])
    assert "2026-01-31 does not follow 2026-01-30 as that is now" in fault(copied)


def test_a_chain_that_was_written_anew_as_a_whole_has_another_head(copied: Path) -> None:
    head = entry_in(copied, "2026-01-31").sha256
    shutil.rmtree(copied / "2026-01-31")
    assert verify(copied).exit_code == 0
    line = fault(copied, "--head", head)
    assert "2026-01-30 has the hash" in line
    assert "later entries are missing, or the chain was written anew" in line


def test_days_under_each_others_names_are_found(copied: Path) -> None:
    (copied / "2026-01-29").rename(copied / "away")
    (copied / "2026-01-30").rename(copied / "2026-01-29")
    (copied / "away").rename(copied / "2026-01-30")
    result = verify(copied)
    assert result.exit_code == 1
    assert "2026-01-29/manifest.json is that of 2026-01-30: directories were exchanged" in result.stderr


def test_an_amendment_is_part_of_the_chain_and_tells_what_it_changed(copied: Path) -> None:
    entries = [entry_in(copied, name) for name in ("2026-01-29", "2026-01-30", "2026-01-31")]
    amendment = write_day(copied, entries, 1, windows=[*WINDOWS_OF_THE_DAY, LATE])
    assert (amendment.directory, amendment.sequence, amendment.previous) == ("2026-01-30.1", 3, entries[2].sha256)
    result = verify(copied, "-o", "jsonl")
    assert result.exit_code == 0, result.output
    assert "traffic +1 -0 rows" in result.stdout
    assert "1 amendments" in result.stderr
    assert "Amendment 1 of this day" in (copied / "2026-01-30.1" / "report.html").read_text()
    shutil.rmtree(copied / "2026-01-30.1")
    later = write_day(copied, [*entries, amendment], 3)
    assert later.sequence == 4
    assert "between 2026-01-31 and 2026-02-01 entry 3 of the chain is missing" in fault(copied)


def test_a_provisional_day_is_checked_and_is_no_part_of_the_chain(copied: Path) -> None:
    entries = [entry_in(copied, name) for name in ("2026-01-29", "2026-01-30", "2026-01-31")]
    early = write_day(copied, entries, 3, is_final=False)
    result = verify(copied, "--head", entries[2].sha256)
    assert result.exit_code == 0, result.output
    assert "1 provisional" in result.stderr
    path = copied / early.directory / "report.html"
    assert b"provisional" in path.read_bytes()
    path.write_bytes(path.read_bytes()[:-1])
    assert "bytes from" in fault(copied)
    final = write_day(copied, entries, 3)
    assert final.directory == early.directory
    assert verify(copied, "--head", final.sha256).exit_code == 0


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[]", b'{"entry":{}}', b"\xff", b"[" * 100_000, b'{"entry":{"format":2}}', b'{"entry":null}'],
)
def test_a_manifest_that_is_none_is_one_line(copied: Path, content: bytes) -> None:
    (copied / "2026-01-31" / NAME).write_bytes(content)
    assert "2026-01-31/manifest.json is " in fault(copied)


def test_a_manifest_cannot_name_files_elsewhere(copied: Path) -> None:
    entry = entry_in(copied, "2026-01-31")
    hostile = manifest_text(entry).replace(b'"name":"traffic.csv"', b'"name":"../../etc/passwd"')
    (copied / "2026-01-31" / NAME).write_bytes(hostile)
    assert "cannot be read" in fault(copied)


def test_a_directory_without_reports_is_told_as_such(tmp_path: Path) -> None:
    result = verify(tmp_path)
    assert result.exit_code == 1
    assert "holds no report: give a directory" in str(result.exception)
    assert "cannot read" in str(verify(tmp_path / "nowhere").exception)
