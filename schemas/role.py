"""Who may do what in Kafka: the roles of an installation. One table, nothing decided elsewhere.

``schemas/right.py`` puts it in Kafka's words. A right that is not used is not given: tests hold each stage's topics
against the table, and a broker with access control lists runs the system with exactly these.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from schemas import group
from schemas.topic import (
    ALERT_DELIVERIES,
    ALERT_STATE,
    ALERTS,
    CAPTURE_STATUS,
    CHANGES,
    DEAD_LETTER,
    DENIALS,
    DENIALS_RAW,
    DNS,
    DNS_RAW,
    FLOWS,
    FLOWS_RAW,
    KUBERNETES_AUDIT,
    KUBERNETES_EVENTS,
    KUBERNETES_OBJECTS,
    L7,
    L7_RAW,
    NODES,
    POLICY_HITS,
    SILENCES,
    WINDOWS,
    Topic,
)

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Role:
    """What one kind of user of Kafka does there. Names of groups and transactions are without their prefix."""

    name: str
    who: str
    writes: tuple[Topic, ...] = ()
    reads: tuple[Topic, ...] = ()
    groups: tuple[str, ...] = ()
    """Consumer groups that it joins or commits to."""
    named_groups: tuple[str, ...] = ()
    """Those whose coordinator it asks for, and no more."""
    transactions: tuple[str, ...] = ()
    """Beginnings of transactional ids."""
    makes_topics: bool = False
    """Creates every topic of ours, gives it partitions and reads its configuration; neither reads nor writes any."""


NODE_AGENT: Final = Role(
    "node-agent",
    "`conntrail agent` on each node",
    writes=(FLOWS_RAW, DNS_RAW, L7_RAW, DENIALS_RAW),
)
CLUSTER_AGENT: Final = Role(
    "cluster-agent",
    "`conntrail cluster-agent`",
    writes=(KUBERNETES_OBJECTS, KUBERNETES_EVENTS, KUBERNETES_AUDIT, CHANGES, DEAD_LETTER),
    reads=(KUBERNETES_OBJECTS, KUBERNETES_EVENTS, ALERTS),
    groups=(group.CLUSTER_AGENT_ALERTS,),
    named_groups=(group.CLUSTER_AGENT,),
)


def _stage(
    name: str,
    reads: tuple[Topic, ...],
    writes: tuple[Topic, ...],
    compacted: tuple[Topic, ...] = (),
    *,
    has_members: bool = True,
    has_progress: bool = True,
) -> Role:
    """``compacted``: topics that it reads whole, beside those whose partitions its workers share."""
    groups = (group.worker_group(name),) * has_members + (group.progress_group(name),) * has_progress
    return Role(
        f"worker-{name}",
        f"`conntrail worker {name}`",
        writes=writes,
        reads=(*reads, *compacted),
        groups=groups,
        named_groups=tuple(map(group.reader_group, compacted)),
    )


_FLOWS: Final = _stage("flows", (FLOWS_RAW,), (FLOWS, WINDOWS, POLICY_HITS, NODES, DEAD_LETTER), (KUBERNETES_OBJECTS,))
_EXCHANGES: Final = _stage("exchanges", (DNS_RAW, L7_RAW), (DNS, L7, DEAD_LETTER), (KUBERNETES_OBJECTS,))
_DENIALS: Final = _stage("denials", (DENIALS_RAW,), (DENIALS, DEAD_LETTER), (KUBERNETES_OBJECTS,))
_INDEXED: Final = (
    FLOWS, WINDOWS, POLICY_HITS, DNS, L7, ALERTS, CHANGES, KUBERNETES_EVENTS, KUBERNETES_AUDIT, NODES, DEAD_LETTER,
)  # fmt: skip
_INDEX: Final = _stage("index", _INDEXED, (DEAD_LETTER,))
_SIGNALS: Final = (
    WINDOWS, DENIALS, DNS, L7, CHANGES, KUBERNETES_EVENTS, CAPTURE_STATUS, NODES, DEAD_LETTER, SILENCES,
)  # fmt: skip
_ALERTS: Final = replace(
    _stage("alerts", (*_SIGNALS, ALERT_STATE), (ALERTS, ALERT_STATE, DEAD_LETTER), has_progress=False),
    named_groups=(group.ALERT_SIGNALS, group.ALERT_STATE),
    transactions=("alerts-",),
)
_SUBSCRIPTIONS: Final = _stage(
    "subscriptions", (), (SILENCES, DEAD_LETTER), (ALERTS, SILENCES), has_members=False, has_progress=False
)
_DELIVERIES: Final = _stage(
    "deliveries", (), (ALERT_DELIVERIES, DEAD_LETTER), (ALERTS, SILENCES, ALERT_DELIVERIES), has_progress=False
)
STAGE_ROLES: Final = (_FLOWS, _EXCHANGES, _DENIALS, _ALERTS, _INDEX, _SUBSCRIPTIONS, _DELIVERIES)
"""Of workers that run one stage each."""


def joined(name: str, who: str, roles: Iterable[Role]) -> Role:
    """One that may do what each of these may."""
    parts = tuple(roles)
    groups = _once(found for part in parts for found in part.groups)
    return Role(
        name,
        who,
        writes=_once(topic for part in parts for topic in part.writes),
        reads=_once(topic for part in parts for topic in part.reads),
        groups=groups,
        named_groups=tuple(n for n in _once(n for part in parts for n in part.named_groups) if n not in groups),
        transactions=_once(found for part in parts for found in part.transactions),
        makes_topics=any(part.makes_topics for part in parts),
    )


def _once(items: Iterable[Item]) -> tuple[Item, ...]:
    found: list[Item] = []
    for item in items:
        if item not in found:
            found.append(item)
    return tuple(found)


_LOOKED_INTO: Final = Role("looked-into", "", named_groups=(group.OBSERVE,))
"""`conntrail observe` in a worker's pod, which has the addresses and secrets that it takes, shows what it reads."""
WORKER: Final = joined("worker", "`conntrail worker`, of any stages", (*STAGE_ROLES, _LOOKED_INTO))
READER: Final = Role(
    "reader",
    "people: `conntrail observe`, `policy`, `alerts`, `report`",
    reads=_once((*_INDEXED, *_SIGNALS, KUBERNETES_OBJECTS)),
    named_groups=(
        group.OBSERVE,
        group.POLICY,
        group.COMPLETION,
        group.ALERT_SIGNALS,
        *map(group.reader_group, (KUBERNETES_OBJECTS, ALERTS, SILENCES)),
    ),
)
OPERATOR: Final = joined(
    "operator",
    "people who silence alerts too: `conntrail alerts silence`",
    (READER, Role("silences", "", writes=(SILENCES,))),
)
SETUP: Final = Role("setup", "`conntrail setup`, without `--access`", makes_topics=True)
ROLES: Final = (NODE_AGENT, CLUSTER_AGENT, WORKER, READER, OPERATOR, SETUP)
