"""API keys are made before anything runs, by who reaches Elasticsearch and no Kafka."""

import json
from pathlib import Path

import pytest

from conntrail.setup.access.main import KEY_FILE
from tests.support.pipeline import run_command
from tests.support.secured import Secured

pytestmark = [pytest.mark.stack, pytest.mark.system]


def test_roles_and_keys_are_made_without_kafka(secured: Secured, tmp_path: Path) -> None:
    nowhere = {"CONNTRAIL_KAFKA__BOOTSTRAP_SERVERS": "127.0.0.1:1", "CONNTRAIL_ACCESS__USER": "early-{role}"}
    words = ("setup", "--access", "--elasticsearch-only", "--secrets", str(tmp_path), "-o", "json")
    done = run_command({**secured.admin_environment(), **nowhere}, *words)
    assert done.returncode == 0, done.stderr
    made = {(change["act"], change["kind"], change["name"]) for change in json.loads(done.stdout)}
    users = {"early-worker", "early-reader", "early-setup"}
    assert made == {("create", kind, user) for kind in ("role", "API key") for user in users}
    assert {path.parent.name for path in tmp_path.glob(f"*/{KEY_FILE}")} == users
