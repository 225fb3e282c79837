"""A port-forward that is open while it is needed. What stands for kubectl here tells as much as kubectl does."""

import os
import sys
from pathlib import Path

import pytest

from conntrail.kubectl.errors import KubectlError
from conntrail.kubectl.installation import Target
from conntrail.kubectl.words import Call
from conntrail.kubectl.writer import forwarded
from tests.support.kubernetes_agent import await_that

_TARGET = Target("own", "service/elasticsearch", 9200, "https")
_OPEN = """
import pathlib, sys, time
pathlib.Path(sys.argv[0]).with_name("words").write_text(" ".join(sys.argv[1:]))
print("Forwarding from 127.0.0.1:41234 -> 9200", flush=True)
# More than a pipe holds: whoever does not read it stops the program before it comes to the end.
for number in range(5_000):
    print(f"Handling connection for {number}", flush=True)
pathlib.Path(sys.argv[0]).with_name("told").touch()
time.sleep(600)
"""
_REFUSED = """
import sys
sys.exit('Error from server (NotFound): services "elasticsearch" not found')
"""


@pytest.fixture
def bin_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return tmp_path


def _write(directory: Path, program: str) -> None:
    file = directory / "kubectl"
    file.write_text(f"#!{sys.executable}\n{program}")
    file.chmod(0o755)


def test_the_url_leads_to_the_chosen_port_while_it_is_open(bin_directory: Path) -> None:
    _write(bin_directory, _OPEN)
    with forwarded(Call(context="prod"), _TARGET) as url:
        assert url == "https://127.0.0.1:41234"
        await_that((bin_directory / "told").exists, "what it tells is read", 60)
    assert (bin_directory / "words").read_text() == (
        "--context prod --namespace own port-forward --address=127.0.0.1 service/elasticsearch :9200"
    )


def test_what_is_refused_is_one_line(bin_directory: Path) -> None:
    _write(bin_directory, _REFUSED)
    with pytest.raises(KubectlError, match='services "elasticsearch" not found'), forwarded(Call(), _TARGET):
        pytest.fail("it is not open")
