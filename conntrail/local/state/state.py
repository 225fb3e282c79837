"""What is remembered of a stack between commands, and the answers that follow from it."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from conntrail.errors import CommandError
from conntrail.local.process.program import ProcessIdentity

Name = Literal["kafka", "elasticsearch"]
NAMES: tuple[Name, ...] = ("kafka", "elasticsearch")
HOST = "127.0.0.1"


class ServiceState(msgspec.Struct, frozen=True):
    """One of the two servers."""

    port: int
    internal_port: int
    """Kafka's controller, Elasticsearch's transport."""
    process: ProcessIdentity | None = None


class StackState(msgspec.Struct, frozen=True):
    """The state file; its presence marks a directory as ours."""

    kafka: ServiceState
    elasticsearch: ServiceState
    release: str
    """Digest of the artifacts that the data directory was unpacked from."""

    def service(self, name: Name) -> ServiceState:
        """State of one server."""
        return self.kafka if name == "kafka" else self.elasticsearch

    def with_service(self, name: Name, service: ServiceState) -> "StackState":
        """The same with one server's state replaced."""
        return msgspec.structs.replace(self, **{name: service})

    @property
    def bootstrap_servers(self) -> str:
        """Where Kafka is reached."""
        return f"{HOST}:{self.kafka.port}"

    @property
    def hosts(self) -> str:
        """Where Elasticsearch is reached."""
        return f"http://{HOST}:{self.elasticsearch.port}"

    def environment(self) -> Mapping[str, str]:
        """Settings that lead every other command to this stack."""
        return {
            "CONNTRAIL_KAFKA__BOOTSTRAP_SERVERS": self.bootstrap_servers,
            "CONNTRAIL_ELASTICSEARCH__HOSTS": self.hosts,
        }


def parse_state(text: bytes, path: str) -> StackState:
    """Raise CommandError when it is not a state file of ours."""
    try:
        return msgspec.json.decode(text, type=StackState)
    except msgspec.DecodeError as error:
        raise CommandError(f"{path} is damaged ({error}): remove that directory or choose another --data-dir") from None
