"""From what Kafka tells to findings: topics that are there, and what roles may do. Pure."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from conntrail.doctor.finding import Finding
from conntrail.doctor.kafka.check import ACCESS, TOPICS
from schemas.right import ANY, Right, rights_of
from schemas.role import ROLES, Role
from schemas.topic import TOPICS as TOPICS_OF_OURS

Operations = frozenset[str]


@dataclass(frozen=True, slots=True)
class KafkaFacts:
    """What Kafka tells about our topics and groups, by full name: what we may do there, if anything."""

    prefix: str
    brokers: int
    topics: Mapping[str, Operations | None]
    """Without access control lists everything is allowed. None: there is no such topic."""
    groups: Mapping[str, Operations | None]
    """None: Kafka did not tell, as it does until the first group is used."""


def judge_topics(facts: KafkaFacts, wanted: Collection[str]) -> Finding:
    """``wanted``: full names of the topics that somebody of ours uses."""
    absent = sorted(name for name in wanted if facts.topics[name] is None)
    if not absent:
        return TOPICS.ok(f"{len(wanted)} of {len(wanted)}")
    words = f"not there: {', '.join(absent)}"
    return TOPICS.missing(words) if len(absent) == len(wanted) else TOPICS.degraded(words)


def judge_role(facts: KafkaFacts, role: Role) -> list[Finding]:
    """What it may do; each operation that it may not is named with its topic or group."""
    refused = list(_refused(facts, role))
    if refused:
        return [ACCESS.missing(f"{role.name} may not {words}") for words in refused]
    # Kafka tells nobody what transactions are allowed.
    rest = " (transactions were not tried)" if role.transactions else ""
    return [ACCESS.ok(f"{role.name} may do all that it does{rest}")]


def judge_roles(facts: KafkaFacts) -> list[Finding]:
    """Where nobody says which role we have: those that we may take."""
    able = [role.name for role in ROLES if not any(_refused(facts, role))]
    if able:
        return [ACCESS.ok(f"enough for {', '.join(able)}")]
    return [ACCESS.missing("not enough for any role", "name the role by --role to see what it may not do")]


def _refused(facts: KafkaFacts, role: Role) -> Iterator[str]:
    for right in rights_of(role, facts.prefix):
        for name, held in _held(right, facts):
            absent = [one for one in right.operations if one not in held]
            if absent:
                yield f"{', '.join(absent)} {right.resource} {name}"


def _held(right: Right, facts: KafkaFacts) -> Iterator[tuple[str, Operations]]:
    """What of ours this right is about, and what we may do there; a topic that is not there is another finding."""
    if right.resource == "group":
        allowed = facts.groups[right.name]
        if allowed is not None:
            yield right.name, allowed
    elif right.resource == "topic":
        for name, held in facts.topics.items():
            if held is not None and (right.is_prefix or right.name in (name, ANY)):
                yield name, held


def names_of(roles: Collection[Role], prefix: str) -> tuple[list[str], list[str]]:
    """Full names of the topics and groups that these roles use; of one that makes topics, all topics."""
    rights = [right for role in roles for right in rights_of(role, prefix)]
    if any(role.makes_topics for role in roles):
        topics = {topic.full_name(prefix) for topic in TOPICS_OF_OURS}
    else:
        topics = {right.name for right in rights if right.resource == "topic"}
    return sorted(topics), sorted({right.name for right in rights if right.resource == "group"})
