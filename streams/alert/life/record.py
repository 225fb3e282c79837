"""A rule, its findings and their causes as an Alert record (schemas/avro/alert.avsc)."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final

from streams.alert.cause.suggestion import suggestions
from streams.alert.life.state import Finding
from streams.alert.rule.condition import Value
from streams.alert.rule.rule import Rule

Record = dict[str, Any]
_MAXIMUM_WORKLOADS: Final = 64
_MAXIMUM_MEMBERS: Final = 50
_MAXIMUM_POLICIES: Final = 32
_MAXIMUM_EVIDENCE: Final = 16
_MAXIMUM_WORDS: Final = 1000


def body(rule: Rule, findings: Sequence[Finding], group: Sequence[str], *, is_group: bool) -> Record:
    """All that a record tells of its subject; ``findings`` in the order of their coming, at least one."""
    lead = findings[0]
    context = lead.context
    namespaces = {finding.namespace for finding in findings}
    members = context.members if len(findings) == 1 and context.members else [finding.title for finding in findings]
    count = context.member_count if len(findings) == 1 else len(findings)
    return {
        "rule": rule.id,
        "category": rule.category,
        "severity": rule.severity,
        "message": _message(rule, lead, group, count, is_group=is_group),
        "namespace": lead.namespace if len(namespaces) == 1 else "",
        "workloads": _first((one for finding in findings for one in finding.workloads), _MAXIMUM_WORKLOADS),
        "subject": _subject(rule, findings, group, is_group=is_group),
        "policies": _first((one for finding in findings for one in finding.context.policies), _MAXIMUM_POLICIES),
        "nearest_miss": next((item.context.nearest_miss for item in findings if item.context.nearest_miss), ""),
        "evidence": _first(_evidence(findings), _MAXIMUM_EVIDENCE),
        "suggestions": suggestions(context),
        "runbook": rule.runbook,
        "member_count": count,
        "members": members[:_MAXIMUM_MEMBERS],
        "worked_since_ns": min(_known(item.context.worked_since_ns for item in findings), default=None),
        "worked_until_ns": max(_known(item.context.worked_until_ns for item in findings), default=None),
        "started_at_ns": min(finding.since_ns for finding in findings),
    }


def with_causes(record: Record, causes: Sequence[Record]) -> Record:
    """The record, its causes, and the likeliest in words."""
    return {**record, "causes": list(causes), "reason": _reason(record, causes)}


def instant(at_ns: int) -> str:
    """In words, UTC, whole seconds."""
    return datetime.fromtimestamp(at_ns // 10**9, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _message(rule: Rule, lead: Finding, group: Sequence[str], count: int, *, is_group: bool) -> str:
    if is_group and rule.group_text is not None:
        facts: dict[str, Value] = {**lead.facts, "members": float(count), "group": ", ".join(group)}
        return rule.group_text.filled(facts)
    text = rule.text.filled(lead.facts)
    return f"{text} (and {count - 1} more)" if is_group else text


def _subject(rule: Rule, findings: Sequence[Finding], group: Sequence[str], *, is_group: bool) -> dict[str, str]:
    """Of a group what its members share."""
    if not is_group:
        return dict(findings[0].fields)
    shared = {
        name: value
        for name, value in findings[0].fields.items()
        if all(finding.fields.get(name) == value for finding in findings)
    }
    # A group that was made by another version of its rule is shorter or longer.
    named = {name.replace("_", "."): value for name, value in zip(rule.group_by, group, strict=False)}
    return {**shared, **named}


def _evidence(findings: Sequence[Finding]) -> Iterable[str]:
    lead = findings[0].context
    if lead.worked_until_ns is not None and lead.mode:
        yield f"last seen to work {instant(lead.worked_until_ns)}"
    for finding in findings:
        yield from (words[:_MAXIMUM_WORDS] for words in finding.context.evidence)


def _reason(record: Record, causes: Sequence[Record]) -> str:
    if causes:
        likeliest = causes[0]
        by = f" by {likeliest['by']}" if likeliest["by"] else ""
        return ", ".join([f"{likeliest['summary']}{by}", *likeliest["evidence"][1:2]])[:_MAXIMUM_WORDS]
    return record["evidence"][-1] if record["evidence"] else "no change is known that explains it"


def _first(items: Iterable[str], most: int) -> list[str]:
    return list(islice(dict.fromkeys(items), most))


def _known(values: Iterable[int | None]) -> list[int]:
    return [value for value in values if value is not None]
