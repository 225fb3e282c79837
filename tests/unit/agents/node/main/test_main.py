"""The agent as it is started, short of starting it."""

import os
import subprocess
import sys

FORBIDDEN = ("kubernetes", "elasticsearch", "faust", "pydantic", "polars", "typer", "rich")


def start(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CONNTRAIL_")}
    return subprocess.run(
        [sys.executable, *arguments], env=environment | settings, capture_output=True, text=True, check=False
    )


def test_check_builds_everything_and_starts_nothing() -> None:
    done = start("-m", "agents.node", "--check")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_wrong_setting_is_one_line_that_names_it() -> None:
    done = start("-m", "agents.node", "--check", CONNTRAIL_AGENT__INTERVAL="soon")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "CONNTRAIL_AGENT__INTERVAL" in done.stderr


def test_an_unknown_argument_is_wrong_usage() -> None:
    done = start("-m", "agents.node", "--chekc")
    assert (done.returncode, done.stderr) == (2, "usage: python -m agents.node [--check]\n")


def test_a_node_carries_nothing_of_streams_and_terminals() -> None:
    program = (
        "import sys, agents.node.__main__\n"
        f"print([name for name in {FORBIDDEN!r} if sys.modules.get(name) is not None])"
    )
    assert start("-c", program).stdout == "[]\n"


def test_what_reads_http2_is_loaded_with_the_first_preface() -> None:
    program = (
        "import sys, agents.node.__main__, agents.node.application.http2 as http2\n"
        "before = 'hpack' in sys.modules\n"
        "http2.parse_preface(http2.PREFACE)\n"
        "print(before, 'hpack' in sys.modules)"
    )
    assert start("-c", program).stdout == "False True\n"
