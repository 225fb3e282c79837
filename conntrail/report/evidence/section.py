"""The sections of a report: what each shows, and its columns."""

from dataclasses import dataclass
from typing import Final, Literal

Value = str | int | bool | list[str]
Row = dict[str, Value]


@dataclass(frozen=True, slots=True)
class Column:
    """One figure or fact of a section's rows."""

    name: str
    heading: str
    kind: Literal["text", "number", "list", "time"] = "text"
    is_wide: bool = False
    """Left out of the terminal's plain table."""
    is_paper: bool = True
    """Shown in HTML; what is not is in JSON and CSV."""


@dataclass(frozen=True, slots=True)
class Section:
    """One table."""

    name: str
    title: str
    purpose: str
    """What it shows, in a sentence or two for whoever reads it the first time."""
    nothing: str
    """What it means that there is no row."""
    columns: tuple[Column, ...]


_ENDS: Final = (
    Column("source", "Source"),
    Column("source_kind", "Source kind", is_wide=True, is_paper=False),
    Column("destination", "Destination"),
    Column("destination_kind", "Destination kind", is_wide=True, is_paper=False),
    Column("services", "Service dialled", "list", is_wide=True),
    Column("protocol", "Protocol"),
    Column("port", "Port", "number"),
)
_AMOUNT: Final = (Column("connections", "Connections", "number"), Column("bytes", "Bytes", "number", is_wide=True))
_SEEN: Final = (Column("first_seen", "First seen", "time"), Column("last_seen", "Last seen", "time"))
_POLICIES: Final = (
    Column("egress_policies", "Egress policies", "list"),
    Column("ingress_policies", "Ingress policies", "list"),
)

SECTIONS: Final = (
    Section(
        "unseen",
        "What was not seen",
        "Spans in which a node saw only part of its traffic (lossy), none of it (blind), or reported nothing (silent). "
        "What happened there may be missing from every other section.",
        "Every node that is known reported the whole period, and saw everything.",
        (
            Column("node", "Node"),
            Column("from", "From", "time"),
            Column("until", "Until", "time"),
            Column("sight", "Saw"),
            Column("lost", "Lost, by cause", "list"),
            Column("note", "Note"),
        ),
    ),
    Section(
        "drift",
        "Where the network did not do what the policies say",
        "Traffic that went through although the policies deny it, or was denied although they allow it.",
        "No traffic contradicted the policies.",
        (
            *_ENDS,
            Column("outcome", "Outcome"),
            Column("verdict", "Policies say"),
            *_AMOUNT,
            Column("reasons", "Reason", "list"),
            *_POLICIES,
            *_SEEN,
        ),
    ),
    Section(
        "denials",
        "Denied connections",
        "Who tried what was denied, and which policies denied it.",
        "Nothing was denied.",
        (
            *_ENDS,
            *_AMOUNT,
            Column("denied_by", "Denied by", "list"),
            Column("reasons", "Reason", "list", is_wide=True),
            *_SEEN,
        ),
    ),
    Section(
        "unprotected",
        "Unprotected workloads",
        "Workloads whose traffic went through with no policy that selects them for that direction: whoever can reach "
        "them may talk to them (ingress), or they may talk to whomever they reach (egress).",
        "Behind all traffic that went through stood a policy.",
        (
            Column("workload", "Workload"),
            Column("kind", "Kind", is_wide=True),
            Column("direction", "Direction"),
            Column("protection", "Protection"),
            Column("connections", "Connections without a policy", "number"),
            Column("is_outside", "Peers outside the cluster"),
            Column("peers", "Peers inside", "list"),
            *_SEEN,
        ),
    ),
    Section(
        "traffic",
        "Who talked to whom",
        "Traffic that was allowed, or that nobody answered (failed), with the policies that contributed.",
        "No traffic was seen.",
        (
            *_ENDS,
            Column("outcome", "Outcome"),
            Column("verdict", "Policies say", is_wide=True),
            *_AMOUNT,
            *_POLICIES,
            Column("clear_text", "Unencrypted port", is_wide=True),
            *_SEEN,
        ),
    ),
    Section(
        "workloads",
        "Workloads that were seen",
        "Each workload with its protection per direction, as its traffic showed it, and what it exchanged with other "
        "namespaces and with the outside.",
        "No workload was seen.",
        (
            Column("workload", "Workload"),
            Column("kind", "Kind", is_wide=True),
            Column("ingress", "Ingress"),
            Column("egress", "Egress"),
            Column("from_outside", "From outside"),
            Column("to_outside", "To outside"),
            Column("from_namespaces", "From namespaces", "list"),
            Column("to_namespaces", "To namespaces", "list"),
            Column("denied", "Denied connections", "number"),
        ),
    ),
    Section(
        "policies",
        "Policies that decided",
        "What each rule decided. Rule -1 is the default deny of a policy that isolates. Figures of policies of the "
        "whole cluster are those of the whole cluster.",
        "No policy decided anything.",
        (
            Column("policy", "Policy"),
            Column("kind", "Kind"),
            Column("tier", "Tier", is_wide=True),
            Column("direction", "Direction"),
            Column("rule", "Rule", "number"),
            Column("action", "Action"),
            Column("connections", "Connections", "number"),
            Column("allowed", "Allowed", "number"),
            Column("denied", "Denied", "number"),
            *_SEEN,
        ),
    ),
    Section(
        "changes",
        "Changes of policies",
        "Policies, and what they select by, that were made, changed or removed, with whoever did it as far as the "
        "audit log tells.",
        "No policy changed.",
        (
            Column("at", "When", "time"),
            Column("kind", "Kind"),
            Column("object", "Object"),
            Column("action", "Change"),
            Column("by", "By"),
            Column("before", "Before"),
            Column("after", "After"),
            Column("workloads", "Workloads touched", "list", is_wide=True),
        ),
    ),
    Section(
        "requests",
        "Requests to change policies",
        "Writes of policies that the audit log of the Kubernetes API tells of, those that were refused too.",
        "The audit log tells of no such request.",
        (
            Column("at", "When", "time"),
            Column("user", "User"),
            Column("verb", "Verb"),
            Column("resource", "Resource"),
            Column("object", "Object"),
            Column("status", "Status", "number"),
            Column("decision", "Decision"),
            Column("addresses", "From", "list"),
            Column("agent", "Client", is_wide=True),
        ),
    ),
)
BY_NAME: Final = {section.name: section for section in SECTIONS}
