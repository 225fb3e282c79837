"""``conntrail setup --kibana`` against a server that speaks Kibana's API over real sockets."""

import json
import os
import ssl
import subprocess
from pathlib import Path

import pytest

from conntrail.errors import CommandError
from conntrail.setup.change import Change
from conntrail.setup.main import set_up_kibana
from runtime.settings import KibanaSettings
from tests.support.certificates import make_certificates
from tests.support.kibana.objects import lines
from tests.support.kibana.server import Kibana, serving
from tests.support.pipeline import run_command
from tests.support.webhook import closed_port

OURS = {(one["type"], one["id"]) for one in lines()}
THEIRS = {
    ("dashboard", "their-own"): {
        "type": "dashboard",
        "id": "their-own",
        "attributes": {"title": "Conntrail as we like it"},
        "references": [],
    }
}


def setup(url: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return run_command(os.environ, "setup", "--kibana", url, "-o", "json", *arguments)


def changes(url: str, *, is_dry: bool = False, **settings: str) -> list[Change]:
    """What the command does, without the second that a process takes."""
    return set_up_kibana(KibanaSettings(url=url, **settings), is_dry=is_dry)


def refusal(url: str, **settings: str) -> str:
    with pytest.raises(CommandError) as error:
        changes(url, **settings)
    return str(error.value)


def test_everything_is_there_after_it_and_a_second_run_overwrites_ours_only() -> None:
    with serving(Kibana()) as kibana:
        objects = kibana.spaces["default"]
        objects.update(THEIRS)
        assert {change.act for change in changes(kibana.url)} == {"create"}
        assert set(objects) == OURS | set(THEIRS)
        objects["dashboard", "conntrail-overview"]["attributes"]["title"] = "[Conntrail] changed by somebody"
        second = changes(kibana.url)
        assert {change.act for change in second} == {"update"}
        assert len(second) == len(OURS)
        assert objects["dashboard", "conntrail-overview"]["attributes"]["title"] == "[Conntrail] Overview"
        assert objects["dashboard", "their-own"] == THEIRS["dashboard", "their-own"]
        assert kibana.imports == [{"overwrite": ["true"], "compatibilityMode": ["true"]}] * 2


def test_a_dry_run_imports_nothing() -> None:
    with serving(Kibana()) as kibana:
        assert len(changes(kibana.url, is_dry=True)) == len(OURS)
        assert kibana.imports == []
        assert kibana.spaces["default"] == {}


def test_a_space_gets_objects_of_its_own_whose_links_stay_in_it() -> None:
    with serving(Kibana(spaces=("network",))) as kibana:
        changes(kibana.url)
        changes(kibana.url, space="network")
        own = kibana.spaces["network"]
        assert len(own) == len(OURS)
        assert not set(own) & OURS
        for one in own.values():
            assert all(ref["id"].startswith("conntrail-network-") for ref in one["references"])
        page = own["dashboard", "conntrail-network-overview"]["attributes"]["panelsJSON"]
        assert "#/view/conntrail-network-flows" in page
        assert "#/view/conntrail-flows" not in page


@pytest.mark.parametrize(
    ("settings", "header"),
    [
        ({"api_key": "aWQ6a2V5"}, "ApiKey aWQ6a2V5"),
        ({"username": "elastic", "password": "secret"}, "Basic ZWxhc3RpYzpzZWNyZXQ="),
    ],
)
def test_an_api_key_or_a_password_is_sent(settings: dict[str, str], header: str) -> None:
    with serving(Kibana(authorization=header)) as kibana:
        assert "CONNTRAIL_KIBANA__API_KEY" in refusal(kibana.url)
        assert len(changes(kibana.url, **settings)) == len(OURS)


def test_a_certificate_is_checked_against_the_authority_that_is_named(tmp_path: Path) -> None:
    certificates = make_certificates(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.certificate, certificates.key)
    with serving(Kibana(), context) as kibana:
        url = kibana.url.replace("http:", "https:")
        assert "CONNTRAIL_KIBANA__CA_CERTS" in refusal(url)
        assert len(changes(url, ca_certs=str(certificates.authority))) == len(OURS)


def test_what_cannot_be_done_says_what_to_do() -> None:
    port = closed_port().rpartition(":")[2].strip("/")
    assert "does not answer" in refusal(f"http://127.0.0.1:{port}")
    assert "is no URL" in refusal("kibana:5601")
    with serving(Kibana(version="8.9.2")) as old:
        assert "8.9.2" in refusal(old.url)
        assert old.imports == []
    with serving(Kibana()) as kibana:
        assert "CONNTRAIL_KIBANA__SPACE" in refusal(kibana.url, space="nowhere")


def test_the_command_tells_it_in_json_and_an_error_in_one_line() -> None:
    with serving(Kibana(spaces=("network",))) as kibana:
        done = setup(kibana.url, "--space", "network")
        assert done.returncode == 0, done.stderr
        assert {change["kind"] for change in json.loads(done.stdout)} == {"data view", "saved search", "dashboard"}
        assert len(kibana.spaces["network"]) == len(OURS)
        failed = setup(kibana.url, "--space", "Not a space")
    assert (failed.returncode, failed.stdout) == (1, "")
    (line,) = failed.stderr.splitlines()
    assert "CONNTRAIL_KIBANA__SPACE" in line
