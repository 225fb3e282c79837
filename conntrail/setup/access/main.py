"""Gives the roles of an installation to its users: asks, plans, does."""

import secrets
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from conntrail.setup.access.acl.plan import plan_entries
from conntrail.setup.access.acl.reader import read_entries
from conntrail.setup.access.acl.writer import write_entries
from conntrail.setup.access.elasticsearch.plan import plan_access
from conntrail.setup.access.elasticsearch.reader import read_access
from conntrail.setup.access.elasticsearch.writer import write_access
from conntrail.setup.access.scram.reader import read_users
from conntrail.setup.access.scram.writer import write_users
from conntrail.setup.access.secret.writer import SecretDirectory
from conntrail.setup.change import Change
from runtime.settings import Settings
from schemas.right import rights_of
from schemas.role import ROLES
from streams.index.privilege import privileges

PASSWORD_FILE: Final = "kafka-password"  # noqa: S105 - a file's name
KEY_FILE: Final = "elasticsearch-api-key"
_PASSWORD_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for beside access control lists and roles."""

    directory: Path | None
    """Where secrets are kept; None makes none."""
    has_users: bool
    """Kafka users with SCRAM passwords."""
    has_kafka: bool
    """Else Kafka is not asked: its users have their rights from elsewhere, or it has no authoriser."""
    is_dry: bool


def set_up_access(settings: Settings, request: Request) -> list[Change]:
    """Give each role what it needs; return what was, or would be, done. Raises CommandError.

    What is there is kept; secrets are made once and written into ``request.directory``.
    """
    kept = None if request.directory is None or request.is_dry else SecretDirectory(request.directory)
    changes = _set_up_lists(settings, request) if request.has_kafka else []
    if request.has_users:
        changes += _set_up_users(settings, kept)
    if settings.elasticsearch.hosts:
        changes += _set_up_elasticsearch(settings, request, kept)
    else:
        changes.append(Change("skip", "role", "all", "CONNTRAIL_ELASTICSEARCH__HOSTS is empty"))
    return changes


def _set_up_lists(settings: Settings, request: Request) -> list[Change]:
    rights = {
        f"User:{settings.access.user_of(role.name)}": rights_of(role, settings.kafka.topic_prefix) for role in ROLES
    }
    plan = plan_entries(rights, read_entries(settings.kafka, rights))
    if not request.is_dry:
        write_entries(settings.kafka, plan.created)
    return list(plan.changes)


def _set_up_users(settings: Settings, kept: SecretDirectory | None) -> list[Change]:
    """A password is written down before Kafka learns of it: one that nobody knows would be of no use."""
    names = [settings.access.user_of(role.name) for role in ROLES]
    known = read_users(settings.kafka, names)
    fresh = [name for name in names if name not in known]
    if kept is not None:
        passwords = {name: secrets.token_urlsafe(_PASSWORD_BYTES) for name in fresh}
        for name, password in passwords.items():
            kept.keep(name, PASSWORD_FILE, password)
        write_users(settings.kafka, passwords)
    return [Change("keep" if name in known else "create", "Kafka user", name) for name in names]


def _set_up_elasticsearch(settings: Settings, request: Request, kept: SecretDirectory | None) -> list[Change]:
    wanted = {
        settings.access.user_of(role): given for role, given in privileges(settings.elasticsearch.namespace).items()
    }
    known = read_access(settings.elasticsearch, list(wanted))
    plan = plan_access(wanted, known, has_keys=request.directory is not None)
    if not request.is_dry:
        write_access(settings.elasticsearch, plan, partial(_keep_key, kept))
    return list(plan.changes)


def _keep_key(kept: SecretDirectory | None, name: str, key: str) -> None:
    assert kept is not None, "keys are planned only where they are kept"
    kept.keep(name, KEY_FILE, key)
