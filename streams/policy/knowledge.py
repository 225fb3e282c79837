"""Records of k8s.objects gathered into what is known of the cluster: names and policies."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from streams.metadata.builder import DirectoryBuilder
from streams.metadata.directory import Directory
from streams.policy.policy import Policy
from streams.policy.record import policy_of
from streams.policy.timeline import PolicyTimeline

_KEPT_NS: Final = 2 * 3600 * 10**9
"""Twice the retention of flows.raw: no flow can ask for an older name."""
_FORGET_EVERY: Final = 10_000


@dataclass(frozen=True, slots=True)
class Names:
    """What is known of the cluster: who is who, and which policies hold."""

    directory: Directory
    policies: PolicyTimeline


class Knowledge:
    """Takes records in and gives names out."""

    def __init__(self) -> None:
        self._builder = DirectoryBuilder()
        self._policies = PolicyTimeline()
        self._forgotten_at_version = 0
        self._told_epoch = -1

    def apply(self, key: str, record: Mapping[str, Any] | None) -> None:
        """Take one record in; nothing stands for a tombstone, which tells nothing that its deletion did not."""
        self._builder.apply(key, record)
        policy = None if record is None else policy_of(record)
        if policy is not None:
            self._policies.apply(policy)

    def names(self, now_ns: int, version: int) -> Names:
        """What is known. Things that ended long ago are dropped from time to time. ``version``: of the log."""
        if version - self._forgotten_at_version > _FORGET_EVERY:
            self._forgotten_at_version = version
            self._builder.forget_before(now_ns - _KEPT_NS)
            self._policies.forget_before(now_ns - _KEPT_NS)
        return Names(self._builder.directory(version), self._policies)

    def changed_policies(self, now_ns: int) -> tuple[Policy, ...] | None:
        """The policies in force; None when they are those of the last time."""
        epoch = self._policies.epoch_at(now_ns)
        if epoch.number == self._told_epoch:
            return None
        self._told_epoch = epoch.number
        return epoch.policies.policies
