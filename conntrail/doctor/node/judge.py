"""From what was read of a node to findings."""

from collections.abc import Iterable
from dataclasses import dataclass

from agents.node.capability.record import Capability
from agents.node.capability.right import RIGHTS as NEEDED
from agents.node.capability.right import lacking
from conntrail.doctor.finding import Finding
from conntrail.doctor.node.check import CAPABILITIES, KERNEL, RIGHTS
from conntrail.doctor.node.dataplane import Netfilter, judge_cni, judge_dataplane, judge_tracking


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """What was read of a node."""

    kernel: str
    """Release, as uname -r has it."""
    effective: int
    """Capabilities of this process, as bits."""
    netfilter: Netfilter
    record: tuple[Capability, ...]
    """What an agent would see, by its own parts."""


def judge_node(facts: NodeFacts) -> list[Finding]:
    """In the order in which things need each other."""
    return [
        KERNEL.ok(f"Linux {facts.kernel}"),
        judge_rights(facts.effective),
        judge_cni(facts.netfilter),
        judge_dataplane(facts.netfilter),
        judge_tracking(facts.netfilter),
        *judge_record(facts.record),
    ]


def judge_rights(effective: int) -> Finding:
    """By the one list; each that is lacking is named with what it is for."""
    absent = lacking(effective)
    if not absent:
        return RIGHTS.ok(", ".join(right.name for right in NEEDED))
    words = "; ".join(f"no CAP_{right.name}: {right.reason}" for right in absent)
    is_blind = any(right.is_essential for right in absent)
    return RIGHTS.missing(words) if is_blind else RIGHTS.degraded(words)


def judge_record(record: Iterable[Capability]) -> list[Finding]:
    """The capability record, entry by entry: state and reason are the agent's."""
    return [Finding(CAPABILITIES[one.name], one.state, one.reason or "seen") for one in record]
