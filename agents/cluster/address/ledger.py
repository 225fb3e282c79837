"""Who had which pod address when. Two pods never have one at once: where they seem to, this decides the border.

What is known of a pod's tenure of an address:
- its start is the pod's startTime (else creationTimestamp), a lower bound: flows begin before anybody sees the address
  in the pod's status, so the observation would be too late;
- its end is when the pod was seen to be over or gone, an upper bound, or when its last container finished.
Tenures of an address follow each other in the order in which they were seen, those first seen when already over
in the order of their starts. Between two of them the border is the end of the former, if that was known before the
latter was seen; else the start of the latter; else, when that lies before the former's start, the observation.
"""

from bisect import insort
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

_KEPT_TENURES: Final = 256
"""Of one address: older ones are settled for good."""


@dataclass(frozen=True, slots=True)
class Holder:
    """A pod."""

    uid: str
    key: str
    started_at_ns: int


@dataclass(frozen=True, slots=True)
class Interval:
    """A pod had an address, [assigned, released), Unix time in ns."""

    address: str
    assigned_at_ns: int
    released_at_ns: int | None


@dataclass(slots=True, order=True)
class _Tenure:
    rank_ns: int
    started_at_ns: int
    began_open: bool
    """Of two that are alike else, the one that is not over comes last."""
    holder: Holder = field(compare=False)
    seen_at_ns: int = field(compare=False)
    ended_at_ns: int | None = field(compare=False)
    is_sealed: bool = field(compare=False, default=False)
    """Its end stays, since another may have followed who is forgotten; a pod that has the address again, or still, has
    it anew, unless it gave way to one that holds it."""
    assigned_at_ns: int = field(compare=False, default=0)
    released_at_ns: int | None = field(compare=False, default=None)


class AddressLedger:
    """Takes in what pods have, and tells whose intervals that changes."""

    def __init__(self) -> None:
        self._tenures: dict[str, list[_Tenure]] = {}
        self._addresses: dict[str, dict[str, None]] = {}

    def restore(self, holder: Holder, interval: Interval) -> None:
        """Take in what a record says."""
        start, end = interval.assigned_at_ns, interval.released_at_ns
        tenure = _Tenure(start, start, end is None, holder, start, end, True, start, end)
        insort(self._tenures.setdefault(interval.address, []), tenure)
        self._addresses.setdefault(holder.uid, {})[interval.address] = None

    def update(self, holder: Holder, addresses: Iterable[str], ended_at_ns: int | None, now_ns: int) -> set[str]:
        """A pod has these addresses, or had them until it ended. Returns the keys of the other pods that this moves."""
        named = dict.fromkeys(addresses)
        known = self._addresses.setdefault(holder.uid, {})
        for address in named:
            self._hold(holder, address, ended_at_ns, now_ns)
            known[address] = None
        for address in known.keys() - named.keys():
            self._end(holder.uid, address, now_ns if ended_at_ns is None else ended_at_ns)
        return {key for address in known for key in self._settle(address)} - {holder.key}

    def intervals(self, uid: str) -> list[Interval]:
        """All that a pod has and had."""
        return [
            Interval(address, tenure.assigned_at_ns, tenure.released_at_ns)
            for address in self._addresses.get(uid, ())
            for tenure in self._tenures.get(address, ())
            if tenure.holder.uid == uid
        ]

    def forget(self, uid: str) -> None:
        """Nobody will ask for this pod again."""
        for address in self._addresses.pop(uid, ()):
            kept = [tenure for tenure in self._tenures.get(address, ()) if tenure.holder.uid != uid]
            for tenure in kept:
                # What the forgotten one had stays its own.
                tenure.started_at_ns = max(tenure.started_at_ns, tenure.assigned_at_ns)
                tenure.ended_at_ns = tenure.released_at_ns
                tenure.is_sealed = tenure.ended_at_ns is not None
            if kept:
                self._tenures[address] = kept
            else:
                self._tenures.pop(address, None)

    def _hold(self, holder: Holder, address: str, ended_at_ns: int | None, now_ns: int) -> None:
        tenures = self._tenures.setdefault(address, [])
        tenure = self._latest(holder.uid, address)
        started = min(holder.started_at_ns, now_ns)
        if tenure is None:
            rank = now_ns if ended_at_ns is None else started
            insort(tenures, _Tenure(rank, started, ended_at_ns is None, holder, now_ns, ended_at_ns))
        elif ended_at_ns is not None:
            self._end(holder.uid, address, ended_at_ns)
        elif tenure.ended_at_ns is not None:
            self._hold_again(tenure, tenures, now_ns)
        del tenures[:-_KEPT_TENURES]

    def _hold_again(self, tenure: _Tenure, tenures: list[_Tenure], now_ns: int) -> None:
        place = next(place for place, other in enumerate(tenures) if other is tenure)
        later = tenures[place + 1 :]
        if not later and not tenure.is_sealed:
            tenure.ended_at_ns = None
        elif not tenure.is_sealed or all(other.ended_at_ns is not None for other in later):
            insort(tenures, _Tenure(now_ns, now_ns, True, tenure.holder, now_ns, None))

    def _end(self, uid: str, address: str, ended_at_ns: int) -> None:
        tenure = self._latest(uid, address)
        if tenure is not None and tenure.ended_at_ns is None:
            tenure.ended_at_ns = ended_at_ns

    def _latest(self, uid: str, address: str) -> _Tenure | None:
        return next((tenure for tenure in reversed(self._tenures[address]) if tenure.holder.uid == uid), None)

    def _settle(self, address: str) -> set[str]:
        """Lay the tenures end to end; return the keys of those that moved."""
        tenures = self._tenures[address]
        moved, floor_ns = set(), 0
        for tenure, following in zip(tenures, [*tenures[1:], None], strict=True):
            assigned = max(tenure.started_at_ns, floor_ns)
            released = tenure.ended_at_ns if following is None else _border(tenure, following, assigned)
            if released is not None:
                floor_ns = released = max(released, assigned)
            if (assigned, released) != (tenure.assigned_at_ns, tenure.released_at_ns):
                tenure.assigned_at_ns, tenure.released_at_ns = assigned, released
                moved.add(tenure.holder.key)
        return moved


def _border(former: _Tenure, latter: _Tenure, assigned_at_ns: int) -> int:
    """When the former let go, given who came next."""
    end = former.ended_at_ns
    if end is not None and (end <= latter.started_at_ns or end < latter.seen_at_ns):
        return end
    return latter.started_at_ns if latter.started_at_ns > assigned_at_ns else latter.seen_at_ns
