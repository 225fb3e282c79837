import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from conntrail.command import app
from tests.unit.conntrail.report.days import write_chain

BARE = """
import sys
for name in sys.argv.pop(1).split(","):
    sys.modules[name] = None
from conntrail.__main__ import main
main()
"""
EXTRAS = "yaml,urllib3,kubernetes,faust,polars,elasticsearch,cramjam,jgo"
BASH = """
source "$1"; shift
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_conntrail_completion "$0"
printf '%s\\n' "${COMPREPLY[@]}"
"""
PROGRAM = Path(sys.executable).with_name("conntrail")


def _commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command that can be typed."""
    yield path
    context = typer.Context(command)
    for name in command.list_commands(context) if hasattr(command, "list_commands") else ():
        _, loaded, _ = command.resolve_command(context, [name])
        if not loaded.hidden:
            yield from _commands(loaded, (*path, name))


@pytest.mark.parametrize("command", list(_commands(typer.main.get_command(app))), ids=" ".join)
def test_every_command_has_help_with_an_example(command: tuple[str, ...]) -> None:
    result = CliRunner(env={"COLUMNS": "300"}).invoke(app, [*command, "-h"])
    assert result.exit_code == 0
    assert "Example" in result.output
    assert "conntrail " + " ".join(command) in result.output.partition("Example")[2]


def _bare(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command where no extra is installed."""
    command = [sys.executable, "-c", BARE, EXTRAS, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["agent", "--help"]])
def test_what_needs_no_extra_works_without_one(arguments: list[str]) -> None:
    answer = _bare(*arguments)
    assert (answer.returncode, answer.stderr) == (0, "")


def test_who_checks_reports_needs_no_extra(tmp_path: Path) -> None:
    write_chain(tmp_path, 1)
    answer = _bare("report", "verify", str(tmp_path))
    assert (answer.returncode, answer.stderr) == (
        0,
        "1 final entries, unbroken and as written; 0 provisional; 0 amendments\n",
    )


def test_a_command_whose_extra_is_missing_says_what_to_install() -> None:
    answer = _bare("policy", "list")
    assert answer.returncode == 1
    assert "pip install 'conntrail[cluster]'" in answer.stderr
    assert len(answer.stderr.splitlines()) == 1


def test_a_mistyped_command_is_told_which_may_be_meant() -> None:
    result = CliRunner(env={"COLUMNS": "200"}).invoke(app, ["locl", "up"])
    assert result.exit_code == 2
    assert "Did you mean 'local'?" in result.output


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_completion_script_is_one_that_its_shell_reads(shell: str) -> None:
    result = CliRunner().invoke(app, ["completion", shell])
    assert result.exit_code == 0
    assert f"_CONNTRAIL_COMPLETE=complete_{shell}" in result.output
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=result.output, text=True, check=True)


@pytest.mark.parametrize(
    ("words", "candidates"),
    [
        (["conntrail", "l"], {"local", "lab"}),
        (["conntrail", "local", ""], {"up", "down", "status", "env", "logs", "fetch"}),
        (["conntrail", "local", "up", "--k"], {"--kafka-port"}),
        (["conntrail", "observe", "--verdict", ""], {"allowed", "denied", "failed"}),
        (["conntrail", "observe", "--namespace", "shop", "-o", "js"], {"json", "jsonl"}),
        (
            ["conntrail", "worker", ""],
            {"alerts", "deliveries", "denials", "exchanges", "flows", "index", "subscriptions"},
        ),
        (["conntrail", "completion", ""], {"bash", "zsh", "fish"}),
    ],
)
@pytest.mark.skipif(not shutil.which("bash"), reason="bash is not installed")
def test_bash_completes_commands_options_and_values(words: list[str], candidates: set[str], tmp_path: Path) -> None:
    script = tmp_path / "completion"
    script.write_text(CliRunner().invoke(app, ["completion", "bash"]).output)
    answer = subprocess.run(
        ["bash", "--norc", "-c", BASH, str(PROGRAM), str(script), *words],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PATH": f"{PROGRAM.parent}:{os.environ['PATH']}"},
    )
    assert set(answer.stdout.split()) == candidates
