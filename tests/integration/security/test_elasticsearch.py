"""Elasticsearch behind a certificate, and one that does not know our key: in, or one line that says why not.

The distribution of the tests cannot store keys of its own, so a right key is not tried here.
"""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.certificates import Certificates, make_certificates
from tests.support.pipeline import Pipeline, run_command
from tests.support.stack import RunningStack, running_stack
from tests.support.tls import terminated_tls

pytestmark = pytest.mark.stack
_WITH_USERS = {
    "xpack.security.enabled": True,
    "xpack.security.transport.ssl.enabled": False,
    "xpack.security.authc.anonymous.username": "anybody",
    "xpack.security.authc.anonymous.roles": "superuser",
}
_FLOWS = ("observe", "--source", "elasticsearch", "-o", "json")


@pytest.fixture(scope="module")
def guarded() -> Iterator[RunningStack]:
    with running_stack(_WITH_USERS) as stack:
        yield stack


@pytest.fixture
def pipeline(guarded: RunningStack, tmp_path: Path) -> Pipeline:
    return Pipeline(guarded, tmp_path)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def encrypted(guarded: RunningStack, certificates: Certificates) -> Iterator[dict[str, str]]:
    server = urlsplit(guarded.elasticsearch)
    assert server.hostname
    assert server.port
    with terminated_tls(server.hostname, server.port, certificates) as port:
        hosts = {"ELASTICSEARCH__HOSTS": f"https://127.0.0.1:{port}"}
        yield {**hosts, "ELASTICSEARCH__CA_CERTS": str(certificates.authority)}


def _assert_one_line(ended: "subprocess.CompletedProcess[str]", *named: str) -> None:
    assert ended.returncode == 1, ended.stderr
    lines = [line for line in ended.stderr.splitlines() if not line.startswith("{")]
    assert len(lines) == 1, ended.stderr
    for name in named:
        assert name in lines[0]


def test_with_its_authority_known_everything_passes(pipeline: Pipeline, encrypted: dict[str, str]) -> None:
    with pipeline.running(**encrypted):
        pipeline.send_flow("10.0.1.7", 1001)
        pipeline.await_flow(1001)
    for command in (("setup",), _FLOWS):
        done = run_command(pipeline.environment(**encrypted), *command)
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", [("setup",), _FLOWS], ids=["setup", "observe"])
def test_a_command_ends_where_the_authority_is_unknown(
    pipeline: Pipeline, encrypted: dict[str, str], tmp_path: Path, command: tuple[str, ...]
) -> None:
    stranger = str(make_certificates(tmp_path / "stranger").authority)
    wrong = pipeline.environment(**{**encrypted, "ELASTICSEARCH__CA_CERTS": stranger})
    _assert_one_line(run_command(wrong, *command), "certificate verify failed")


def test_a_worker_ends_where_the_authority_is_unknown(
    pipeline: Pipeline, encrypted: dict[str, str], tmp_path: Path
) -> None:
    stranger = str(make_certificates(tmp_path / "stranger").authority)
    pipeline.send_flow("10.0.1.7", 1001)
    ended = pipeline.ended("streams", **{**encrypted, "ELASTICSEARCH__CA_CERTS": stranger})
    _assert_one_line(ended, "is not trusted", "CONNTRAIL_ELASTICSEARCH__CA_CERTS")


def test_a_file_without_certificates_is_named(pipeline: Pipeline, encrypted: dict[str, str]) -> None:
    wrong = {**encrypted, "ELASTICSEARCH__CA_CERTS": "/nowhere.pem"}
    named = "CONNTRAIL_ELASTICSEARCH__CA_CERTS=/nowhere.pem"
    _assert_one_line(pipeline.ended("streams", **wrong), named)
    for command in (("setup",), _FLOWS):
        _assert_one_line(run_command(pipeline.environment(**wrong), *command), named)


def test_a_key_that_is_not_known_is_one_line(pipeline: Pipeline) -> None:
    wrong = {"ELASTICSEARCH__API_KEY": "bm9ib2R5OnNlY3JldA=="}
    pipeline.send_flow("10.0.1.7", 1001)
    _assert_one_line(pipeline.ended("streams", **wrong), "401", "CONNTRAIL_ELASTICSEARCH__API_KEY")
    _assert_one_line(run_command(pipeline.environment(**wrong), "setup"), "401", "CONNTRAIL_ELASTICSEARCH__API_KEY")
    _assert_one_line(run_command(pipeline.environment(**wrong), *_FLOWS), "401")
