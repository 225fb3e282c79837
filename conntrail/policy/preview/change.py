"""A set of policies after objects were applied to it or deleted from it."""

from collections.abc import Iterable

from conntrail.errors import CommandError
from streams.policy.compile import is_policy
from streams.policy.object import PolicyObject

_Key = tuple[str, str, str, str]


def changed(
    present: Iterable[PolicyObject], given: Iterable[PolicyObject], *, is_deleted: bool
) -> tuple[PolicyObject, ...]:
    """Objects of the same group, kind, namespace and name are replaced, as ``kubectl apply`` does, or left out.

    Raises CommandError when no policy is given, or one that is not there shall be deleted.
    """
    before = {_key(item): item for item in present}
    changes = {_key(item): item for item in given}
    if not any(is_policy(item.api_version, item.kind) for item in changes.values()):
        raise CommandError("no policy in these files")
    if not is_deleted:
        return tuple((before | changes).values())
    gone = {key for key, item in changes.items() if is_policy(item.api_version, item.kind)}
    if unknown := sorted(gone - before.keys()):
        _, kind, namespace, name = unknown[0]
        raise CommandError(f"the cluster has no {kind} {namespace}/{name} that could be deleted")
    return tuple(item for key, item in before.items() if key not in gone)


def _key(item: PolicyObject) -> _Key:
    return (item.group, item.kind, item.namespace, item.name)
