"""Identities: the same rule and subject are the same alert, whoever finds it and whenever."""

import hashlib
from collections.abc import Iterable


def alert_id(cluster: str, rule: str, subject: Iterable[str], *, is_group: bool = False) -> str:
    """32 hexadecimal digits."""
    told = repr((cluster, rule, "group" if is_group else "subject", *subject))
    return hashlib.blake2b(told.encode("utf-8", "replace"), digest_size=16).hexdigest()
