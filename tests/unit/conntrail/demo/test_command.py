import os

import pytest
from typer.testing import CliRunner

from conntrail.demo.command import app
from conntrail.errors import CommandError


def test_who_is_not_root_is_told_before_anything_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    result = CliRunner().invoke(app, [])
    assert isinstance(result.exception, CommandError)
    assert "run it as root" in str(result.exception)
    assert result.output == ""
