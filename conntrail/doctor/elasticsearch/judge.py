"""From what Elasticsearch tells to findings. Pure."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from conntrail.doctor.clock import Sighting, judge_clock
from conntrail.doctor.elasticsearch.check import ACCESS, CLOCK, SERVER, TEMPLATES, VERSION
from conntrail.doctor.finding import Finding
from conntrail.setup.change import Change
from streams.index.privilege import Privileges

_OLDEST: Final = (8, 0)
_PROVEN: Final = (8, 19)
_NEWEST_MAJOR: Final = 9
"""Elasticsearch answers clients of the version before (REST API compatibility), and no older ones."""


@dataclass(frozen=True, slots=True)
class ElasticsearchFacts:
    """What Elasticsearch tells."""

    hosts: str
    version: str
    """Empty where we may not ask for it."""
    clock: Sighting | None
    has_users: bool
    """It has users and privileges."""
    held: Mapping[str, Mapping[str, Any]]
    """By role: its answer to which of the role's privileges we have."""
    changes: tuple[Change, ...] | None
    """What setup would do to templates; None where we may not look at them."""


def judge_elasticsearch(facts: ElasticsearchFacts, wanted: Mapping[str, Privileges], role: str) -> list[Finding]:
    """``wanted``: privileges by role; ``role`` is empty where nobody says which we have."""
    return [
        SERVER.ok(facts.hosts),
        _judge_version(facts.version),
        *_judge_templates(facts.changes),
        *_judge_access(facts, wanted, role),
        judge_clock(CLOCK, facts.clock, "Elasticsearch"),
    ]


def _judge_version(version: str) -> Finding:
    numbers = re.match(r"(\d+)\.(\d+)", version)
    if numbers is None:
        return VERSION.skipped("we may not ask for it: it takes the cluster privilege monitor")
    found = (int(numbers[1]), int(numbers[2]))
    if found < _OLDEST or found[0] > _NEWEST_MAJOR:
        return VERSION.missing(f"{version}: the client of version 8 does not talk to it")
    if found < _PROVEN:
        return VERSION.degraded(f"{version}: older than what is tested")
    if found[0] > _PROVEN[0]:
        return VERSION.degraded(f"{version}: newer than what is tested")
    return VERSION.ok(version)


def _judge_templates(changes: tuple[Change, ...] | None) -> Iterator[Finding]:
    if changes is None:
        yield TEMPLATES.skipped("we may not look at them: it takes manage_index_templates and manage_ilm")
        return
    absent = sorted(change.name for change in changes if change.act == "create")
    others = sorted(change.name for change in changes if change.act in ("update", "differs"))
    if absent:
        yield TEMPLATES.missing(f"not there: {', '.join(absent)}")
    if others:
        yield TEMPLATES.degraded(f"of another version, or changed: {', '.join(others)}")
    if not absent and not others:
        yield TEMPLATES.ok(f"{len(changes)} of {len(changes)}")


def _judge_access(facts: ElasticsearchFacts, wanted: Mapping[str, Privileges], role: str) -> list[Finding]:
    if not facts.has_users:
        return [ACCESS.ok("everything is allowed: Elasticsearch has no users")]
    refused = {name: list(_refused(facts.held.get(name, {}), wanted[name])) for name in wanted}
    if role:
        if role not in wanted:
            return [ACCESS.ok(f"{role} never asks Elasticsearch")]
        return [ACCESS.missing(f"{role} has not {words}") for words in refused[role]] or [
            ACCESS.ok(f"{role} may do all that it does")
        ]
    able = [name for name, words in refused.items() if not words]
    if able:
        return [ACCESS.ok(f"enough for {', '.join(able)}")]
    return [ACCESS.missing("not enough for any role", "name the role by --role to see which privileges it has not")]


def _refused(held: Mapping[str, Any], wanted: Privileges) -> Iterator[str]:
    cluster = held.get("cluster", {})
    absent = [one for one in wanted["cluster"] if cluster.get(one) is not True]
    if absent:
        yield f"the cluster privileges {', '.join(absent)}"
    indices = held.get("index", {})
    for group in wanted["indices"]:
        for name in group["names"]:
            lacking = [one for one in group["privileges"] if indices.get(name, {}).get(one) is not True]
            if lacking:
                yield f"{', '.join(lacking)} on {name}"
