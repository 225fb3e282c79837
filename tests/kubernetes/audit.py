"""Sets a real API server up to tell who did what."""

import json
import socket
from dataclasses import dataclass
from pathlib import Path

from tests.support.certificates import make_certificates

TOKEN = "a-token-of-the-test"
# Bodies too, so that it is seen that none of them is kept.
_POLICY = {"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": [{"level": "RequestResponse"}]}


@dataclass(frozen=True, slots=True)
class Webhook:
    """Both sides of the webhook."""

    flags: list[str]
    """Of the API server."""
    settings: dict[str, str]
    """Of the agent."""


def policy_flag(directory: Path) -> str:
    """Everything is told, with bodies."""
    path = directory / "policy.json"
    path.write_text(json.dumps(_POLICY))
    return f"--audit-policy-file={path}"


def webhook(directory: Path) -> Webhook:
    """Encrypted, with a token, at a free port."""
    certificates = make_certificates(directory / "certificates")
    with socket.create_server(("127.0.0.1", 0)) as one:
        address = f"127.0.0.1:{one.getsockname()[1]}"
    path = directory / "webhook.json"
    cluster = {"server": f"https://{address}/audit", "certificate-authority": str(certificates.authority)}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "agent", "cluster": cluster}],
        "users": [{"name": "api", "user": {"token": TOKEN}}],
        "contexts": [{"name": "agent", "context": {"cluster": "agent", "user": "api"}}],
        "current-context": "agent",
    }
    path.write_text(json.dumps(document))
    return Webhook(
        flags=[
            policy_flag(directory),
            f"--audit-webhook-config-file={path}",
            "--audit-webhook-batch-max-wait=500ms",
            "--audit-webhook-initial-backoff=1s",
        ],
        settings={
            "AUDIT__ADDRESS": address,
            "AUDIT__CERTIFICATE": str(certificates.certificate),
            "AUDIT__KEY": str(certificates.key),
            "AUDIT__TOKEN": TOKEN,
            "AUDIT__PER_SECOND": "10000",
        },
    )
