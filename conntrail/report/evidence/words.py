"""What a report says in sentences: its figures, and how far they can be trusted."""

from collections.abc import Mapping
from typing import Any, Final

from conntrail.report.evidence.report import Report, stamp

LEVELS: Final[Mapping[str, str]] = {
    "complete": "Every node saw all of its traffic.",
    "lossy": "Some nodes lost part of what they should have seen.",
    "blind": "Some nodes could not see their traffic for a while.",
    "silent": "Some nodes reported nothing for a while.",
    "unknown": "No node told what it saw: what is missing here may have happened all the same.",
}


def status_words(report: Report) -> str:
    """Whether it may still change."""
    if report.revision:
        return (
            f"Amendment {report.revision} of this day: data came after {stamp(report.final_at_ms)}, when it was final."
        )
    if report.is_final:
        return f"Final since {stamp(report.final_at_ms)}: later data makes an amendment, and never changes this report."
    return f"Provisional: data may still come until {stamp(report.final_at_ms)}; make it again after that."


def completeness_words(report: Report) -> list[tuple[str, str]]:
    """Figure and its meaning, the worst first to know."""
    told = report.completeness
    seconds, windows = told["node_seconds"], told["windows"]
    found = [
        ("Nodes", f"{told['nodes']}"),
        *((f"Time of nodes, {sight}", _duration(seconds[sight])) for sight in seconds),
        ("Windows of traffic", ", ".join(f"{count} {sight}" for sight, count in windows.items())),
        ("Windows that policies could not be evaluated for", str(told["undecided_windows"])),
        ("Messages that could not be read", str(told["dead_letters"])),
        ("Requests in the audit log", str(told["audit_events"]) if told["audit_events"] else "none: it was not fed, so "
         "authors of changes are not known"),
    ]  # fmt: skip
    if told["folded_ends"]:
        found.append(("Folded", "too many ports or addresses for a row each: rows named others hold their sums"))
    if told["cut_sections"]:
        found.append(("Cut", f"no room for all rows of: {', '.join(told['cut_sections'])}"))
    return found


def summary_words(report: Report) -> list[tuple[str, str]]:
    """Figure and its meaning."""
    told = report.summary
    connections = told["connections"]
    return [
        ("Connections", ", ".join(f"{connections[name]} {name}" for name in connections)),
        ("Pairs of ends", str(told["pairs"])),
        ("Workloads seen", str(told["workloads"])),
        ("Ingress", _protection(told["ingress"])),
        ("Egress", _protection(told["egress"])),
        ("Workloads reached from outside", str(told["from_outside"])),
        ("Workloads that reach outside", str(told["to_outside"])),
        ("Workloads that talk across namespaces", str(told["across_namespaces"])),
        ("Rows of traffic on ports that are not encrypted", str(told["clear_text"])),
        ("Rows that contradict the policies", str(told["drift"])),
        ("Rules that decided", str(told["rules"])),
        ("Changes of policies", _partly(told["changes"], told["changes_without_author"], "without a known author")),
        ("Requests to change policies", _partly(told["requests"], told["requests_refused"], "refused")),
    ]


def _protection(counts: Mapping[str, Any]) -> str:
    return ", ".join(f"{count} {word}" for word, count in counts.items())


def _partly(count: int, part: int, words: str) -> str:
    return f"{count}, {part} {words}" if part else str(count)


def _duration(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "h"), (minutes, "min"), (rest, "s"))
    return " ".join(f"{count} {unit}" for count, unit in parts if count) or "0 s"
