"""What a container of flows.raw says about itself: which node, which interval, which part, and what was lost.

The figures travel in the metadata of the Avro object container, so that any Avro tool shows them and an empty
interval is still a message.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

from schemas.errors import DecodeError

Coverage = Literal["complete", "lossy", "blind"]
LossCause = Literal[
    "application_cut",  # heads over the rate limit
    "application_lost",  # NFLOG: messages that never came, of whatever kind
    "application_malformed",
    "application_overflow",  # more exchanges than the table holds
    "attempt_overruns",  # NFLOG: the socket's buffer was full
    "attempt_rules_flushed",  # somebody removed our nftables table
    "attempts_cut",  # first packets over the rate limit
    "attempts_lost",  # NFLOG: numbers of messages that never came
    "attempts_malformed",
    "attempts_overflow",  # more attempts than the table holds
    "attempts_undetermined",  # confirmations were lost, so nothing can be said of them
    "clock_steps",
    "connections_overflow",  # more connections than the table holds
    "conntrack_failures",
    "conntrack_malformed",
    "conntrack_overruns",  # conntrack events: the socket's buffer was full
    "denials_overflow",  # first packets that denials.raw had no room for; flows.raw has them
    "dns_cut",  # packets over the rate limit
    "dns_lost",  # NFLOG: messages that never came, of whatever kind
    "dns_malformed",
    "dns_overflow",  # counted without their names or answers, for lack of room
    "dump_failures",
    "intervals_dropped",  # the spool was full
    "intervals_missed",  # the agent did not get to close them
    "no_accounting",
    "no_attempts",
    "no_events",
    "restarts",
    "state_failures",
]
LOSS_CAUSES: Final[frozenset[str]] = frozenset(get_args(LossCause))
"""What this release's agents say; another release's may say more."""
_PREFIX = "conntrail."
_COVERAGES: dict[str, Coverage] = {"complete": "complete", "lossy": "lossy", "blind": "blind"}
_MAXIMUM_INTERVAL_NS = 3_600 * 10**9
_MAXIMUM_LONG = 2**63 - 1
_LONG_DIGITS = len(str(_MAXIMUM_LONG))
_MAXIMUM_CAUSES = 64


@dataclass(frozen=True, slots=True)
class Batch:
    """One node's part of one interval for one partition. (node, boot, sequence, partition, part) names it
    for ever: what is seen twice replaces itself.
    """

    cluster: str
    node: str
    boot: str
    """Random per life of the agent's state: a part seen twice has the same boot and sequence."""
    sequence: int
    """Counts intervals from 0 without a hole, the same in every partition."""
    partition: int
    partitions: int
    part: int
    """From 0: an interval with more rows for a partition than a message holds is sent in several parts."""
    parts: int
    interval_start_ns: int
    """Unix time, ns; a multiple of the agent's interval but for its first."""
    interval_end_ns: int
    coverage: Coverage
    lost: Mapping[str, int]
    """What was lost in this interval, by cause; empty when complete."""

    def metadata(self) -> dict[str, str]:
        """As the container's metadata carries it."""
        return {
            _PREFIX + "cluster": self.cluster,
            _PREFIX + "node": self.node,
            _PREFIX + "boot": self.boot,
            _PREFIX + "sequence": str(self.sequence),
            _PREFIX + "partition": str(self.partition),
            _PREFIX + "partitions": str(self.partitions),
            _PREFIX + "part": str(self.part),
            _PREFIX + "parts": str(self.parts),
            _PREFIX + "interval_start_ns": str(self.interval_start_ns),
            _PREFIX + "interval_end_ns": str(self.interval_end_ns),
            _PREFIX + "coverage": self.coverage,
            _PREFIX + "lost": json.dumps(dict(self.lost), sort_keys=True),
        }


def parse_batch(metadata: Mapping[str, str]) -> Batch:
    """Read a batch's facts back. Raises DecodeError, naming the fact, when one is missing or absurd."""
    start, end = (_number(metadata, name) for name in ("interval_start_ns", "interval_end_ns"))
    if not start < end <= start + _MAXIMUM_INTERVAL_NS:
        raise DecodeError(f"interval [{start}, {end}) is empty, reversed or longer than an hour")
    return Batch(
        cluster=_text(metadata, "cluster"),
        node=_text(metadata, "node"),
        boot=_text(metadata, "boot"),
        sequence=_number(metadata, "sequence"),
        partition=_number(metadata, "partition"),
        partitions=_number(metadata, "partitions"),
        part=_number(metadata, "part"),
        parts=_number(metadata, "parts"),
        interval_start_ns=start,
        interval_end_ns=end,
        coverage=_coverage(_text(metadata, "coverage")),
        lost=_counts(_text(metadata, "lost")),
    )


def _text(metadata: Mapping[str, str], name: str) -> str:
    value = metadata.get(_PREFIX + name)
    if value is None:
        raise DecodeError(f"the container's metadata lacks {_PREFIX}{name}")
    return value


def _number(metadata: Mapping[str, str], name: str) -> int:
    text = _text(metadata, name)
    if not text.isascii() or not text.isdigit() or len(text) > _LONG_DIGITS or int(text) > _MAXIMUM_LONG:
        raise DecodeError(f"{_PREFIX}{name} is no number: {text[:32]!r}")
    return int(text)


def _coverage(text: str) -> Coverage:
    if text not in _COVERAGES:
        raise DecodeError(f"coverage {text[:32]!r} is none of {', '.join(_COVERAGES)}")
    return _COVERAGES[text]


def _counts(text: str) -> dict[str, int]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise DecodeError(f"{_PREFIX}lost is no JSON: {error}") from error
    if not isinstance(value, dict) or len(value) > _MAXIMUM_CAUSES or not all(map(_is_count, value.values())):
        raise DecodeError(f"{_PREFIX}lost is no object of counts")
    return value


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MAXIMUM_LONG
