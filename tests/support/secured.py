"""A stack that asks who comes: Kafka with SASL_SSL and access control lists, Elasticsearch with roles and API keys.

The plain listener of the stack, whose users are anonymous, is the administrator's: Kafka's super user, as anonymous is
in Elasticsearch. Processes come by the encrypted listener, with what ``conntrail setup --access`` made for their role.
"""

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from confluent_kafka.admin import AdminClient, ScramCredentialInfo, ScramMechanism, UserScramCredentialUpsertion

from conntrail.local.port.reader import free_port
from conntrail.setup.access.main import KEY_FILE, PASSWORD_FILE
from runtime.settings import Settings, load_settings
from schemas.role import Role
from tests.support.certificates import Certificates, make_certificates
from tests.support.elasticsearch_security.plugin import security_plugin
from tests.support.stack import RunningStack, running_stack
from tests.support.tls import terminated_tls

PREFIX: Final = "secured."
NAMESPACE: Final = "secured"
PARTITIONS: Final = 3
_ADMIN, _PASSWORD = "admin", "correct-horse"
_ELASTICSEARCH: Final = {
    "xpack.security.enabled": True,
    "xpack.security.transport.ssl.enabled": False,
    "xpack.security.authc.anonymous.username": "anybody",
    "xpack.security.authc.anonymous.roles": "superuser",
}
_LOGIN: Final = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
_AUTHORISER: Final = {
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "allow.everyone.if.no.acl.found": "false",
    "super.users": f"User:ANONYMOUS;User:{_ADMIN}",
}


@dataclass(frozen=True, slots=True)
class Secured:
    """The stack, and where the secrets of its users are."""

    stack: RunningStack
    servers: str
    elasticsearch: str
    certificates: Certificates
    secrets: Path

    def common(self) -> dict[str, str]:
        """Settings of every process, without who it is."""
        return {
            "KAFKA__BOOTSTRAP_SERVERS": self.servers,
            "KAFKA__SECURITY_PROTOCOL": "SASL_SSL",
            "KAFKA__SSL_CA_LOCATION": str(self.certificates.authority),
            "KAFKA__TOPIC_PREFIX": PREFIX,
            "KAFKA__PARTITIONS": str(PARTITIONS),
            "ELASTICSEARCH__HOSTS": self.elasticsearch,
            "ELASTICSEARCH__CA_CERTS": str(self.certificates.authority),
            "ELASTICSEARCH__NAMESPACE": NAMESPACE,
        }

    def own(self, role: Role) -> dict[str, str]:
        """Who a process of a role is; every secret by the file that setup wrote."""
        user = f"conntrail-{role.name}"
        found = {
            "KAFKA__SASL_USERNAME": user,
            "KAFKA__SASL_PASSWORD_FILE": str(self.secrets / user / PASSWORD_FILE),
        }
        key = self.secrets / user / KEY_FILE
        return found | ({"ELASTICSEARCH__API_KEY_FILE": str(key)} if key.exists() else {})

    def environment(self, role: Role) -> dict[str, str]:
        """Of a process of a role."""
        return _prefixed({**self.common(), **self.own(role)})

    def settings(self, role: Role) -> Settings:
        """The same, for a client that a test makes itself."""
        own = self.own(role)
        read = {
            name.removesuffix("_FILE"): Path(path).read_text() for name, path in own.items() if name.endswith("_FILE")
        }
        user = {name: text for name, text in own.items() if not name.endswith("_FILE")}
        return load_settings(_prefixed({**self.common(), **user, **read}), {})

    def admin_environment(self) -> dict[str, str]:
        """Of who sets up access."""
        own = {
            "KAFKA__SASL_USERNAME": _ADMIN,
            "KAFKA__SASL_PASSWORD": _PASSWORD,
            "ELASTICSEARCH__USERNAME": _ADMIN,
            "ELASTICSEARCH__PASSWORD": _PASSWORD,
        }
        return _prefixed({**self.common(), **own})

    def plain_settings(self) -> Settings:
        """By the administrator's way in, for a test to look at what came of it."""
        plain = {
            "KAFKA__BOOTSTRAP_SERVERS": self.stack.kafka,
            "KAFKA__TOPIC_PREFIX": PREFIX,
            "ELASTICSEARCH__HOSTS": self.stack.elasticsearch,
            "ELASTICSEARCH__NAMESPACE": NAMESPACE,
        }
        return load_settings(_prefixed(plain), {})


@contextmanager
def secured_stack(directory: Path) -> Iterator[Secured]:
    """Started, with an administrator, and without any role yet."""
    certificates = make_certificates(directory / "certificates")
    servers = f"127.0.0.1:{free_port(set())}"
    listener = {
        "listeners": f"SECURED://{servers}",
        "advertised.listeners": f"SECURED://{servers}",
        "listener.security.protocol.map": "SECURED:SASL_SSL",
        "listener.name.secured.sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "listener.name.secured.scram-sha-512.sasl.jaas.config": _LOGIN,
        "listener.name.secured.ssl.keystore.type": "PEM",
        "listener.name.secured.ssl.keystore.location": str(certificates.both),
    }
    plugin = security_plugin(directory / "plugin")
    with running_stack(_ELASTICSEARCH, {**listener, **_AUTHORISER}, [plugin]) as stack:
        _make_administrator(stack)
        server = urlsplit(stack.elasticsearch)
        assert server.hostname
        assert server.port
        with terminated_tls(server.hostname, server.port, certificates) as port:
            yield Secured(stack, servers, f"https://127.0.0.1:{port}", certificates, directory / "secrets")


def _make_administrator(stack: RunningStack) -> None:
    info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
    user = UserScramCredentialUpsertion(_ADMIN, info, _PASSWORD.encode())
    client = AdminClient({"bootstrap.servers": stack.kafka})
    client.alter_user_scram_credentials([user])[_ADMIN].result(30)
    request = urllib.request.Request(
        f"{stack.elasticsearch}/_security/user/{_ADMIN}",
        json.dumps({"password": _PASSWORD, "roles": ["superuser"]}).encode(),
        {"content-type": "application/json"},
        method="PUT",
    )
    with urllib.request.urlopen(request, timeout=60):
        pass


def _prefixed(settings: dict[str, str]) -> dict[str, str]:
    return {f"CONNTRAIL_{name}": value for name, value in settings.items()}
