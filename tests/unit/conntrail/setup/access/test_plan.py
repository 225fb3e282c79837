"""What setup gives to roles, and what it leaves alone."""

import stat
from pathlib import Path
from typing import Any

import pytest

from conntrail.errors import CommandError
from conntrail.setup.access.acl.plan import Entry, entries_of, plan_entries
from conntrail.setup.access.elasticsearch.plan import KnownAccess, plan_access
from conntrail.setup.access.secret.writer import SecretDirectory
from schemas.right import Right

WORKER = "User:worker"
FLOWS = Right("topic", "c.flows", is_prefix=False, operations=("read", "write"))
WANTED: dict[str, dict[str, Any]] = {
    "worker": {"cluster": [], "indices": [{"names": ["a-*", "b-*"], "privileges": ["read", "index"]}]}
}


def _acts(changes: Any) -> list[tuple[str, str]]:
    return [(change.act, change.kind) for change in changes]


def test_missing_entries_alone_are_made() -> None:
    read, write = entries_of(WORKER, FLOWS)
    plan = plan_entries({WORKER: [FLOWS]}, {read})
    assert plan.created == (write,)
    assert _acts(plan.changes) == [("create", "access control")]
    assert plan.changes[0].detail == "read, write topic c.flows"


def test_with_every_entry_there_nothing_is_made() -> None:
    plan = plan_entries({WORKER: [FLOWS]}, set(entries_of(WORKER, FLOWS)))
    assert plan.created == ()
    assert _acts(plan.changes) == [("keep", "access control")]


def test_what_a_role_does_not_need_is_named_and_left_alone() -> None:
    extra = Entry(WORKER, "topic", "c.", is_prefix=True, operation="all")
    plan = plan_entries({WORKER: [FLOWS]}, {*entries_of(WORKER, FLOWS), extra})
    assert plan.created == ()
    assert plan.changes[-1].act == "differs"
    assert plan.changes[-1].detail.startswith("all topic c.*: ")


def test_a_role_as_it_should_be_is_kept_whatever_the_order_of_its_privileges() -> None:
    found = {"cluster": [], "indices": [{"names": ["b-*", "a-*"], "privileges": ["index", "read"], "more": False}]}
    plan = plan_access(WANTED, KnownAccess({"worker": found}, {}), has_keys=False)
    assert (plan.roles, plan.keys) == ({}, {})
    assert _acts(plan.changes) == [("keep", "role")]


def test_a_role_of_an_earlier_release_is_updated_and_its_key_is_reported() -> None:
    found = {"cluster": ["monitor"], "indices": []}
    plan = plan_access(WANTED, KnownAccess({"worker": found}, {"worker": found}), has_keys=True)
    assert plan.roles == WANTED
    assert plan.keys == {}
    assert _acts(plan.changes) == [("update", "role"), ("differs", "API key")]


def test_a_key_is_made_only_where_somebody_keeps_it() -> None:
    nothing = KnownAccess({}, {})
    assert plan_access(WANTED, nothing, has_keys=False).keys == {}
    assert plan_access(WANTED, nothing, has_keys=True).keys == WANTED


def test_a_secret_is_readable_by_its_owner_alone_and_replaces_an_older(tmp_path: Path) -> None:
    directory = SecretDirectory(tmp_path / "secrets")
    directory.keep("worker", "key", "first")
    directory.keep("worker", "key", "second")
    path = tmp_path / "secrets/worker/key"
    assert path.read_text() == "second"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_place_that_cannot_hold_secrets_is_named_before_any_is_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CommandError, match=r"--secrets: .*/file"):
        SecretDirectory(tmp_path / "file")
