from pathlib import Path
from typing import Any

import pytest

from runtime.settings import SettingsError
from streams.delivery.file.reader import ReceiverFile, read_receivers
from streams.delivery.receiver import ReceiverError, build_receiver, parse_entries

_URL = "http://hook.example/in"
_GOOD = '[receivers.chat]\nkind = "slack"\nurl = "http://h.example"\nseverity = "high"'


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"kind": "pigeon", "url": _URL}, "receiver own: Invalid enum value"),
        ({"kind": "json", "url": _URL, "colour": "red"}, "unknown field `colour`"),
        ({"kind": "json", "url": _URL, "url_env": "X"}, "give only one of url, url_file, url_env"),
        ({"kind": "json", "url": _URL, "timeout": "soon"}, "expected a duration"),
        ({"kind": "json", "url": _URL, "give_up": "0s"}, "longer than nothing"),
        ({"kind": "json"}, "url: expected http"),
        ({"kind": "json", "url": "http://name:word@hook.example"}, "without a name or password"),
        ({"kind": "pagerduty"}, "needs secret_file or secret_env"),
        ({"kind": "json", "url": _URL, "severity": "loud"}, "severity 'loud': expected low"),
    ],
)
def test_what_is_of_no_use_is_named(table: dict[str, Any], words: str) -> None:
    with pytest.raises(ReceiverError, match=words):
        build_receiver("own", parse_entries({"receivers": {"own": table}})["own"], table.get("url", ""), "")


@pytest.mark.parametrize(
    "document",
    [{"receiver": {}}, {"receivers": 3}, {"receivers": {"Big": {}}}, {"receivers": {f"r{n}": {} for n in range(33)}}],
)
def test_a_file_of_another_shape_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(ReceiverError):
        parse_entries(document)


def test_secrets_are_read_by_reference_and_never_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "key").write_text("very-secret\n")
    monkeypatch.setenv("SLACK_URL", "https://hooks.example/very-secret")
    path = tmp_path / "receivers.toml"
    path.write_text(
        f'[receivers.oncall]\nkind = "pagerduty"\nsecret_file = "{tmp_path}/key"\n'
        '[receivers.chat]\nkind = "slack"\nurl_env = "SLACK_URL"\nnamespaces = ["shop"]\nseverity = "high"\n'
    )
    oncall, chat = read_receivers(str(path))
    assert (oncall.secret, oncall.url) == ("very-secret", "https://events.pagerduty.com/v2/enqueue")
    assert chat.url == "https://hooks.example/very-secret"
    assert (chat.selection.severity, chat.selection.namespace) == (("high", "critical"), ("shop",))
    assert "very-secret" not in f"{oncall!r}{chat!r}"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[receivers", "not TOML"),
        ('[receivers.a]\nkind = "json"\nurl_env = "NOT_THERE"', "the variable NOT_THERE is not set"),
        ('[receivers.a]\nkind = "json"\nurl = "http://h.example"\nsecret_file = "/nowhere/key"', "No such file"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_line_that_names_the_setting(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "receivers.toml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=words) as caught:
        read_receivers(str(path))
    assert "CONNTRAIL_ALERTS__RECEIVERS" in str(caught.value)
    assert read_receivers("") == ()


@pytest.mark.parametrize("header", ["[receivers.own]", ' [ receivers . "own" ] # the second'])
def test_a_table_that_is_of_no_use_is_named_with_its_line(tmp_path: Path, header: str) -> None:
    path = tmp_path / "receivers.toml"
    path.write_text(f'{_GOOD}\n{header}\nkind = "json"\nurl = "ftp://nowhere"\n')
    with pytest.raises(SettingsError, match="line 5: receiver own: url: expected http"):
        read_receivers(str(path))


def test_a_changed_file_counts_when_it_was_seen_twice_and_a_bad_one_never(tmp_path: Path) -> None:
    path = tmp_path / "receivers.toml"
    path.write_text(_GOOD)
    file = ReceiverFile(str(path))
    before = file.receivers
    assert not file.look()
    path.write_text("[receivers\n")
    assert (file.look(), file.look(), file.look()) == (False, True, False)
    assert "line 1" in file.fault
    assert file.receivers == before
    path.write_text("")
    assert not file.look()
    path.write_text(_GOOD)
    assert (file.look(), file.look(), file.look()) == (False, True, False)
    assert (file.receivers, file.fault) == (before, "")
    path.write_text(_GOOD.replace("high", "low"))
    assert (file.look(), file.look()) == (False, True)
    assert file.receivers != before


def test_a_secret_that_was_replaced_is_a_change(tmp_path: Path) -> None:
    path, key = tmp_path / "receivers.toml", tmp_path / "key"
    key.write_text("first")
    path.write_text(f'[receivers.own]\nkind = "json"\nurl = "http://h.example"\nsecret_file = "{key}"\n')
    file = ReceiverFile(str(path))
    key.write_text("second")
    assert (file.look(), file.look()) == (False, True)
    assert file.receivers[0].secret == "second"


@pytest.mark.parametrize("text", [None, "", "no certificate"])
def test_authorities_that_are_of_no_use_leave_the_receivers_as_they_are(tmp_path: Path, text: str | None) -> None:
    path, authorities = tmp_path / "receivers.toml", tmp_path / "ca.pem"
    if text is not None:
        authorities.write_text(text)
    path.write_text(_GOOD)
    file = ReceiverFile(str(path))
    before = file.receivers
    path.write_text(f'{_GOOD}\n[receivers.own]\nkind = "json"\nurl = "https://h.example"\nca_certs = "{authorities}"\n')
    assert (file.look(), file.look()) == (False, True)
    assert f"line 5: receiver own: ca_certs={authorities}: no file with certificates" in file.fault
    assert file.receivers == before
