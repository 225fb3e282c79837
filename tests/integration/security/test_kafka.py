"""A broker that asks for a password and shows a certificate: every process gets in, or says in one line why not."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient, ScramCredentialInfo, ScramMechanism, UserScramCredentialUpsertion
from prometheus_client import CollectorRegistry

from agents.errors import AgentError, ReadError
from agents.publish.interval import Interval, IntervalEncoder
from agents.publish.metrics import PublishMetrics
from agents.publish.spool import Spool, Storage
from agents.publish.writer import Destination, IntervalWriter
from conntrail.local.port.reader import free_port
from runtime.kafka import client_configuration
from runtime.settings import load_settings
from schemas.schema import read_schema
from schemas.topic import FLOWS_RAW
from tests.support.certificates import Certificates, make_certificates
from tests.support.kubernetes_agent import await_that
from tests.support.pipeline import Pipeline, run_command
from tests.support.stack import RunningStack, running_stack

pytestmark = pytest.mark.stack
_USER, _PASSWORD = "conntrail", "correct-horse"
_WEB = "10.0.1.7"


@dataclass(frozen=True, slots=True)
class Secured:
    """A stack with a second listener that is encrypted and asks who comes."""

    stack: RunningStack
    servers: str
    certificates: Certificates

    def settings(self, **more: str) -> dict[str, str]:
        return {
            "KAFKA__BOOTSTRAP_SERVERS": self.servers,
            "KAFKA__SECURITY_PROTOCOL": "SASL_SSL",
            "KAFKA__SASL_USERNAME": _USER,
            "KAFKA__SASL_PASSWORD": _PASSWORD,
            "KAFKA__SSL_CA_LOCATION": str(self.certificates.authority),
            **more,
        }


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    certificates = make_certificates(tmp_path_factory.mktemp("certificates"))
    servers = f"127.0.0.1:{free_port(set())}"
    login = "org.apache.kafka.common.security"
    listener = {
        "listeners": f"SECURED://{servers}",
        "advertised.listeners": f"SECURED://{servers}",
        "listener.security.protocol.map": "SECURED:SASL_SSL",
        "listener.name.secured.sasl.enabled.mechanisms": "SCRAM-SHA-512,PLAIN",
        "listener.name.secured.scram-sha-512.sasl.jaas.config": f"{login}.scram.ScramLoginModule required;",
        "listener.name.secured.plain.sasl.jaas.config": (
            f'{login}.plain.PlainLoginModule required user_{_USER}="{_PASSWORD}";'
        ),
        "listener.name.secured.ssl.keystore.type": "PEM",
        "listener.name.secured.ssl.keystore.location": str(certificates.both),
    }
    with running_stack(kafka_settings=listener) as stack:
        info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
        user = UserScramCredentialUpsertion(_USER, info, _PASSWORD.encode())
        admin = AdminClient({"bootstrap.servers": stack.kafka})
        admin.alter_user_scram_credentials([user])[_USER].result(30)
        yield Secured(stack, servers, certificates)


@pytest.fixture
def pipeline(secured: Secured, tmp_path: Path) -> Pipeline:
    return Pipeline(secured.stack, tmp_path)


@pytest.fixture
def wrong(secured: Secured, tmp_path: Path) -> dict[str, tuple[dict[str, str], str]]:
    """Settings that cannot work, and what the line must name."""
    stranger = make_certificates(tmp_path / "stranger").authority
    return {
        "password": (secured.settings(KAFKA__SASL_PASSWORD="wrong"), "__SASL_PASSWORD"),
        "user": (secured.settings(KAFKA__SASL_USERNAME="nobody"), "__SASL_USERNAME"),
        "authority": (secured.settings(KAFKA__SSL_CA_LOCATION=str(stranger)), "__SSL_CA_LOCATION"),
        "file": (secured.settings(KAFKA__SSL_CA_LOCATION="/nowhere.pem"), "/nowhere.pem"),
    }


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-512", "PLAIN"])
def test_flows_pass_through_a_secured_broker(pipeline: Pipeline, secured: Secured, mechanism: str) -> None:
    settings = secured.settings(KAFKA__SASL_MECHANISM=mechanism)
    pipeline.add_pod("web", _WEB)
    with pipeline.running(**settings):
        pipeline.send_flow(_WEB, 1001)
        assert pipeline.await_flow(1001)["source"]["kubernetes"]["pod"]["name"] == "web"
    command = ("observe", "--source", "kafka", "--since", "10m", "-o", "json")
    seen = run_command(pipeline.environment(**settings), *command)
    assert [flow["destination"]["port"] for flow in json.loads(seen.stdout)] == [1001], seen.stderr
    again = run_command(pipeline.environment(**settings), "setup")
    assert again.returncode == 0, again.stderr


@pytest.mark.parametrize("what", ["password", "user", "authority", "file"])
@pytest.mark.parametrize("module", ["agents.cluster", "streams"])
def test_a_process_that_is_refused_ends_with_one_line(
    pipeline: Pipeline, wrong: dict[str, tuple[dict[str, str], str]], module: str, what: str
) -> None:
    settings, named = wrong[what]
    ended = pipeline.ended(module, **settings)
    assert ended.returncode == 1
    lines = [line for line in ended.stderr.splitlines() if not line.startswith("{")]
    assert len(lines) == 1, ended.stderr
    assert named in lines[0]
    assert "wrong" not in lines[0]


@pytest.mark.parametrize("what", ["password", "authority"])
@pytest.mark.parametrize("command", [("setup",), ("observe", "--follow")], ids=["setup", "observe"])
def test_a_command_that_is_refused_ends_with_one_line(
    pipeline: Pipeline, wrong: dict[str, tuple[dict[str, str], str]], command: tuple[str, ...], what: str
) -> None:
    settings, named = wrong[what]
    ended = run_command(pipeline.environment(**settings), *command)
    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1, ended.stderr
    assert named in ended.stderr


def test_without_encryption_the_line_says_what_came_instead_of_an_answer(pipeline: Pipeline, secured: Secured) -> None:
    ended = run_command(pipeline.environment(**secured.settings(KAFKA__SECURITY_PROTOCOL="PLAINTEXT")), "setup")
    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1, ended.stderr
    assert "CONNTRAIL_KAFKA__SECURITY_PROTOCOL" in ended.stderr


class Publishing:
    """The node agent's way to Kafka."""

    def __init__(self, pipeline: Pipeline, settings: dict[str, str]) -> None:
        kafka = load_settings(pipeline.environment(**settings), {}).kafka
        self.spool = Spool(1 << 20, 0)
        destination = Destination(
            client_configuration(kafka, "test"), FLOWS_RAW.full_name(kafka.topic_prefix), b"node1"
        )
        encoder = IntervalEncoder(read_schema(FLOWS_RAW.schema), "flow_key")
        storage = Storage(_nothing_stored, lambda _sequence: None)
        self.writer = IntervalWriter(destination, self.spool, storage, encoder, PublishMetrics(CollectorRegistry()))
        self.writer.start()

    def knows_partitions(self) -> bool:
        self.writer.advance()
        return self.writer.partitions > 0


def _nothing_stored(_sequence: int) -> Interval:
    raise ReadError("nothing on disk")


def test_the_node_agents_writer_gets_in(pipeline: Pipeline, secured: Secured) -> None:
    publishing = Publishing(pipeline, secured.settings())
    await_that(publishing.knows_partitions, "the topic is found")
    publishing.writer.stop()


@pytest.mark.parametrize("what", ["password", "authority"])
def test_the_node_agents_writer_gives_up_while_nothing_is_collected(
    pipeline: Pipeline, wrong: dict[str, tuple[dict[str, str], str]], what: str
) -> None:
    settings, named = wrong[what]
    publishing = Publishing(pipeline, settings)
    with pytest.raises(AgentError, match=named):
        await_that(publishing.knows_partitions, "the topic is found")
    publishing.writer.stop()


def test_the_node_agents_writer_waits_once_something_is_collected(
    pipeline: Pipeline, wrong: dict[str, tuple[dict[str, str], str]]
) -> None:
    publishing = Publishing(pipeline, wrong["password"][0])
    publishing.spool.add_stored(0, 100)

    def is_told() -> bool:
        publishing.writer.advance()
        return any("Authentication failed" in fault for fault in publishing.writer.faults())

    await_that(is_told, "the refusal is a fault that /readyz shows")
    publishing.writer.stop()
