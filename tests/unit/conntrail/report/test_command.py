"""What the command refuses before it asks anybody, and how it writes."""

import json
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from conntrail.errors import CommandError
from conntrail.report.chain.writer import alone
from conntrail.report.command import _day, app
from conntrail.report.evidence.section import BY_NAME
from conntrail.report.writer import Output, print_report
from tests.support.history import inside
from tests.unit.conntrail.report.builders import WEB, facts_of, report_of, window
from tests.unit.conntrail.report.days import write_chain, write_day


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-o", "csv"], "give --section"),
        (["--amend"], "beside the days of a --directory"),
        (["--directory", "x", "-o", "json"], "leave -o and --section away"),
        (["--section", "secrets"], "expected one of unseen, drift"),
    ],
)
def test_what_does_not_fit_together_is_wrong_usage(arguments: list[str], words: str) -> None:
    result = CliRunner(env={"COLUMNS": "300"}).invoke(app, arguments)
    assert result.exit_code == 2
    assert words in result.stderr


@pytest.mark.parametrize("option", ["--since", "--until", "--final-after"])
def test_a_time_that_is_none_says_what_is_expected(option: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["--directory", str(tmp_path), option, "soon"])
    assert result.exit_code == 1
    assert f"{option} soon: expected 24h or 7d, or a day such as 2026-01-31" in str(result.exception)


def test_a_directory_far_in_the_past_begins_with_1970() -> None:
    assert _day("--since", "999999d") == date(1970, 1, 1)


def test_a_name_in_lines_of_json_does_not_drive_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    hostile = "evil\x9b31m\u202egpj.exe"
    seen = window(WEB, inside(hostile), 80, verdict="none")
    print_report(report_of(facts_of([seen])), Output.jsonl, list(BY_NAME))
    written = capfd.readouterr().out
    assert written.isascii()
    assert any(f"shop/{hostile}" in json.loads(line).values() for line in written.splitlines())


def test_two_do_not_write_to_one_directory_at_once(tmp_path: Path) -> None:
    with (
        alone(tmp_path / "evidence"),
        pytest.raises(CommandError, match="another conntrail report writes"),
        alone(tmp_path / "evidence"),
    ):
        raise AssertionError("both were let in")
    with alone(tmp_path / "evidence"):
        pass


def test_a_directory_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CommandError, match="cannot write to"), alone(tmp_path / "file"):
        raise AssertionError("a file is no directory")


def test_what_an_interrupted_run_left_is_no_report_and_goes(tmp_path: Path) -> None:
    entries = write_chain(tmp_path, 1)
    left = tmp_path / ".2026-01-30.new"
    left.mkdir()
    (left / "report.json").write_text("half")
    assert CliRunner().invoke(app, ["verify", str(tmp_path)]).exit_code == 0
    write_day(tmp_path, entries, 1)
    assert not left.exists()
    assert CliRunner().invoke(app, ["verify", str(tmp_path)]).exit_code == 0
