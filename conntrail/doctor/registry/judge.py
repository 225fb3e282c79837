"""From what the schema registry tells to findings. Pure."""

from collections.abc import Mapping

from conntrail.doctor.finding import Finding
from conntrail.doctor.registry.check import SCHEMAS, SERVER


def judge_registry(registered: Mapping[str, bool] | None, url: str) -> list[Finding]:
    """``registered``: whether each subject has our schema; None where no registry is set."""
    if registered is None:
        return [SERVER.skipped("none is set: records carry Avro's own fingerprint")]
    absent = sorted(subject for subject, is_there in registered.items() if not is_there)
    if not absent:
        return [SERVER.ok(url), SCHEMAS.ok(f"{len(registered)} of {len(registered)}")]
    words = f"not registered: {', '.join(absent)}"
    is_none = len(absent) == len(registered)
    return [SERVER.ok(url), SCHEMAS.missing(words) if is_none else SCHEMAS.degraded(words)]
