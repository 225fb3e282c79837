"""What a node did not show, as a record of its own: a limit is seen where the exchanges are looked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from schemas.batch import Batch

_WORDS: Final = {
    "cut": "over the node's rate limit",
    "lost": "lost between the kernel and the agent",
    "malformed": "not understood",
    "overflow": "beyond what the agent's tables hold",
}
DNS_LOSSES: Final = {f"dns_{cause}": words for cause, words in _WORDS.items()}
APPLICATION_LOSSES: Final = {f"application_{cause}": words for cause, words in _WORDS.items()}


@dataclass(frozen=True, slots=True)
class Cut:
    """What is missing of one node's interval."""

    count: int
    reason: str


def cut_of(batch: Batch, losses: Mapping[str, str]) -> Cut | None:
    """None when nothing is missing. An interval's losses are told in each of its messages: the first one counts.

    ``losses``: words by cause.
    """
    if batch.partition or batch.part:
        return None
    told = [(batch.lost[cause], words) for cause, words in losses.items() if batch.lost.get(cause)]
    if not told:
        return None
    return Cut(min(sum(count for count, _ in told), 2**62), "; ".join(f"{count} {words}" for count, words in told))
