"""What has to be done so that the topics are there: created, given more partitions, or only reported as different.

Partitions are never removed (Kafka cannot), and configuration that an operator changed is never changed back.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from conntrail.setup.change import Change
from schemas.topic import Topic

_KIND = "topic"


@dataclass(frozen=True, slots=True)
class ExistingTopic:
    """A topic as the cluster has it."""

    partitions: int
    replication: int
    configuration: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class TopicPlan:
    """Work on topics, by full name, and what is said of each topic."""

    created: tuple[tuple[str, Topic], ...]
    widened: tuple[str, ...]
    changes: tuple[Change, ...]


def plan_topics(
    topics: Iterable[Topic], existing: Mapping[str, ExistingTopic], prefix: str, partitions: int, replication: int
) -> TopicPlan:
    """Compare what is wanted with what is there."""
    created: list[tuple[str, Topic]] = []
    widened: list[str] = []
    changes: list[Change] = []
    for topic in topics:
        name = topic.full_name(prefix)
        found = existing.get(name)
        if found is None:
            created.append((name, topic))
            changes.append(Change("create", _KIND, name, f"{partitions} partitions, {_words(topic.configuration())}"))
            continue
        if found.partitions < partitions:
            widened.append(name)
            changes.append(Change("update", _KIND, name, f"{found.partitions} to {partitions} partitions"))
        changes += _differences(name, topic, found, partitions, replication)
        if not changes or changes[-1].name != name:
            changes.append(Change("keep", _KIND, name))
    return TopicPlan(tuple(created), tuple(widened), tuple(changes))


def _differences(name: str, topic: Topic, found: ExistingTopic, partitions: int, replication: int) -> Iterable[Change]:
    if found.partitions > partitions:
        detail = f"{found.partitions} partitions, the setting says {partitions}: Kafka cannot remove any"
        yield Change("differs", _KIND, name, detail)
    if found.replication != replication:
        detail = f"replication {found.replication}, the setting says {replication}: move it with Kafka's own tools"
        yield Change("differs", _KIND, name, detail)
    for option, value in topic.configuration().items():
        has = found.configuration.get(option, "")
        if _canonical(has) != _canonical(value):
            yield Change("differs", _KIND, name, f"{option} is {has or 'not known'}, we would set {value}")


def _canonical(value: str) -> tuple[str, ...]:
    """``compact,delete`` and ``delete,compact`` are the same."""
    return tuple(sorted(part.strip() for part in value.split(",")))


def _words(configuration: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in configuration.items())
