"""What annotations say of a policy."""

from typing import Final

from conntrail.lab.cluster import Object

DENY: Final = "conntrail.io/lab-deny"
_STAGED: Final = "conntrail.io/staged"


def is_staged(value: Object) -> bool:
    """Whether it is only tried out: the kernel does not enforce it."""
    return (value["metadata"].get("annotations") or {}).get(_STAGED) == "true"


def does_reset(value: Object) -> bool:
    """Whether what it denies of TCP is answered with a reset, where a drop would be silent."""
    return (value["metadata"].get("annotations") or {}).get(DENY) == "reset"
