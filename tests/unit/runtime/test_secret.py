"""Secrets by file, in the environment and in TOML."""

from pathlib import Path

import pytest

from runtime.reader import read_settings
from runtime.secret import secrets
from runtime.settings import SettingsError

PASSWORD = "CONNTRAIL_KAFKA__SASL_PASSWORD"


@pytest.fixture
def held(tmp_path: Path) -> Path:
    path = tmp_path / "password"
    path.write_text("correct horse\n")
    return path


def test_what_proves_who_we_are_is_a_secret() -> None:
    assert set(secrets()) == {
        ("kafka", "sasl_password"), ("elasticsearch", "api_key"), ("elasticsearch", "password"),
        ("kibana", "api_key"), ("kibana", "password"), ("schema_registry", "password"),
        ("api", "token"), ("audit", "token"), ("http", "token"),
    }  # fmt: skip


def test_a_file_that_the_environment_names_holds_the_secret(monkeypatch: pytest.MonkeyPatch, held: Path) -> None:
    monkeypatch.setenv(f"{PASSWORD}_FILE", str(held))
    assert read_settings().kafka.sasl_password == "correct horse"


def test_a_file_that_toml_names_holds_the_secret_and_the_environment_wins(
    monkeypatch: pytest.MonkeyPatch, held: Path, tmp_path: Path
) -> None:
    document = tmp_path / "conntrail.toml"
    document.write_text(f'[kafka]\nsasl_password_file = "{held}"\n')
    monkeypatch.setenv("CONNTRAIL_CONFIG", str(document))
    assert read_settings().kafka.sasl_password == "correct horse"
    monkeypatch.setenv(PASSWORD, "battery staple")
    assert read_settings().kafka.sasl_password == "battery staple"


def test_an_empty_name_is_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{PASSWORD}_FILE", "")
    assert read_settings().kafka.sasl_password == ""


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe", b"x" * 70_000], ids=["empty", "line", "binary", "large"])
def test_a_file_of_no_use_is_named_and_its_content_is_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "bad"
    path.write_bytes(content)
    monkeypatch.setenv(f"{PASSWORD}_FILE", str(path))
    with pytest.raises(SettingsError, match=f"{PASSWORD}_FILE={path}") as refused:
        read_settings()
    assert "xx" not in str(refused.value)


def test_a_file_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{PASSWORD}_FILE", "/nowhere/password")
    with pytest.raises(SettingsError, match="/nowhere/password: No such file"):
        read_settings()


def test_a_secret_and_its_file_exclude_each_other(monkeypatch: pytest.MonkeyPatch, held: Path) -> None:
    monkeypatch.setenv(f"{PASSWORD}_FILE", str(held))
    monkeypatch.setenv(PASSWORD, "battery staple")
    with pytest.raises(SettingsError, match="set one of them") as refused:
        read_settings()
    assert "battery" not in str(refused.value)


def test_what_is_no_secret_has_no_file(monkeypatch: pytest.MonkeyPatch, held: Path) -> None:
    monkeypatch.setenv("CONNTRAIL_KAFKA__SASL_USERNAME_FILE", str(held))
    with pytest.raises(SettingsError, match="CONNTRAIL_KAFKA__SASL_USERNAME_FILE: unknown setting"):
        read_settings()
