"""What of a history a recommendation is made of, and what is left out of it and told.

Only what was seen allowed, and is not denied by the policies that are there now, is ever allowed.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from conntrail.policy.history.seen import History, Seen
from conntrail.policy.recommend.port import WITH_PORTS
from conntrail.policy.recommend.question import Questions
from streams.policy.evaluate import evaluate
from streams.policy.policy_set import PolicySet
from streams.policy.question import Direction, Question

_DIRECTIONS: Final[tuple[Direction, ...]] = ("egress", "ingress")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Traffic that goes on under a recommendation."""

    seen: Seen
    questions: tuple[Question, ...]
    """Those that the present policies do not deny."""
    directions: frozenset[Direction]
    """Where rules may allow it: where the present policies deny some of its pods, rules would open it to these too."""

    @property
    def is_whole(self) -> bool:
        """Whether the recommended policies allow it alone, without those that are there."""
        return len(self.directions) == len(_DIRECTIONS)


@dataclass(slots=True)
class Sifted:
    """A history, taken apart."""

    wanted: list[Wanted] = field(default_factory=list)
    denied: list[tuple[Seen, tuple[Question, ...]]] = field(default_factory=list)
    """Seen denied, with the questions that the present policies deny too."""
    closed: list[Seen] = field(default_factory=list)
    """Seen allowed, but denied by the present policies."""
    failed: list[Seen] = field(default_factory=list)
    inexpressible: list[Seen] = field(default_factory=list)
    """Of protocols for which the kind of policy has no word, or none that can be proven."""
    unprovable: list[tuple[Seen, str]] = field(default_factory=list)
    """What nobody can ask again, and why."""


def sift(
    history: History,
    asked: Questions,
    present: PolicySet,
    protocols: frozenset[str] | None,
    is_concerned: Callable[[Seen], bool],
) -> Sifted:
    """``protocols``: those that the kind of policy can name, None for all; ``is_concerned``: records that matter."""
    found = Sifted()
    for seen in history.seen:
        if not is_concerned(seen):
            continue
        if seen.key.action == "failed":
            found.failed.append(seen)
        elif seen.key.action == "denied":
            questions = tuple(question for question in asked(seen) if evaluate(present, question).verdict == "deny")
            found.denied.append((seen, questions))
        else:
            _sift_allowed(seen, asked, present, protocols, found)
    return found


def _sift_allowed(
    seen: Seen, asked: Questions, present: PolicySet, protocols: frozenset[str] | None, found: Sifted
) -> None:
    key = seen.key
    if protocols is not None and key.protocol not in protocols:
        found.inexpressible.append(seen)
        return
    if key.port == 0 and key.protocol in WITH_PORTS:
        found.unprovable.append((seen, "its port was lost in a window of too many groups"))
        return
    questions = asked(seen)
    if not questions:
        found.unprovable.append((seen, _why_unknown(seen)))
        return
    traces = [(question, evaluate(present, question)) for question in questions]
    kept = tuple(question for question, trace in traces if trace.verdict != "deny")
    if not kept:
        found.closed.append(seen)
        return
    denying = {
        direction
        for _, trace in traces
        for direction, side in (("egress", trace.egress), ("ingress", trace.ingress))
        if side.action == "deny"
    }
    found.wanted.append(Wanted(seen, kept, frozenset(name for name in _DIRECTIONS if name not in denying)))


def _why_unknown(seen: Seen) -> str:
    ends = (seen.key.source, seen.key.destination)
    if any(end.kind == "unknown" for end in ends):
        return "who it was is lost in a window of too many groups"
    return "one end is gone, and no flow tells its labels any more"
