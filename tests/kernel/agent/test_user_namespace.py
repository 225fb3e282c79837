"""The agent lives on its capabilities alone: none of them over the machine, all within a user namespace."""

import sys
from pathlib import Path

import pytest

from tests.kernel.agent.network import is_root
from tests.support.user_namespace import run_in_user_namespace

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.stack,
    pytest.mark.skipif(not is_root(), reason="mapping all users needs root"),
]


def test_tests_of_the_agent_and_of_its_rights_pass_in_a_user_namespace() -> None:
    files = [str(Path(__file__).with_name(name)) for name in ("test_agent.py", "test_denials.py", "test_rights.py")]
    done = run_in_user_namespace([sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", *files])
    assert done.returncode == 0, done.stdout
    assert "skipped" not in done.stdout, done.stdout
