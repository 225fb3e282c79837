"""What an answer of the API server that is no success means, in one line that says what to do."""

from typing import Any, Final

import msgspec

from agents.cluster.record.value import text
from agents.errors import AgentError, ConflictError, ExpiredError, MissingError, ReadError, RefusedError, RightsError

_MAXIMUM_REASON: Final = 300


def fault_of(status: int, body: bytes, verb: str, resource: str) -> AgentError:
    """The error for an answer to ``verb`` on ``resource``, for example list and pods."""
    reason = _reason(body)
    match status:
        case 401:
            return RightsError(
                f"the API server does not accept our credentials ({verb} {resource}): renew the token or the kubeconfig"
            )
        case 403:
            return RightsError(f"no right to {verb} {resource}: grant it by RBAC ({reason})")
        case 404:
            return MissingError(f"the API server has no {resource} ({verb}): {reason}")
        case 409:
            return ConflictError(f"{verb} {resource}: {reason}")
        case 410:
            return ExpiredError(f"{verb} {resource}: {reason}")
        case 400 | 413 | 422:
            return RefusedError(f"the API server answers {status} to {verb} {resource}: {reason}")
        case _:
            return ReadError(f"the API server answers {status} to {verb} {resource}: {reason}")


def _reason(body: bytes) -> str:
    found: Any = None
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return " ".join(body[:_MAXIMUM_REASON].decode(errors="replace").split())
    return " ".join(text(found, "message")[:_MAXIMUM_REASON].split())
