"""What could not be used of an audit log, as DeadLetter records: without its content, which may hold secrets."""

from typing import Final

from agents.cluster.record.slim import Record

STAGE: Final = "audit"
_MAXIMUM_REASON: Final = 1024


def audit_letter(cluster: str, reason: str, size_bytes: int, now_ns: int) -> Record:
    """``size_bytes``: of what was refused, or of the body that it came in."""
    return {
        "cluster": cluster,
        "stage": STAGE,
        "reason": reason[:_MAXIMUM_REASON],
        "topic": "",
        "partition": 0,
        "offset": 0,
        "observed_at_ns": now_ns,
        "key": None,
        "value": None,
        "size_bytes": size_bytes,
    }
