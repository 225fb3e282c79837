"""Decides which first packets were denied: seen by this node, and confirmed by no conntrack entry in time.

The rule above all: no allowed connection is ever called denied. Where something was lost and nothing can be said, the
attempt is dropped and counted, not guessed.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from agents.node.attempt.columns import REJECTED, Attempts
from agents.node.attempt.confirmation import Confirmations
from agents.node.attempt.key import answered_keys, connection_ids, dialled_keys, find, packet_keys
from agents.node.attempt.pair import REPLY_FIELDS, pair
from agents.node.attempt.render import render, render_untold
from agents.node.report.columns import EVIDENCES, REPORT, TUPLES, Reports
from agents.node.report.moment import Instants, moments_end
from agents.node.report.rows import choose, insert, join, remove

_NS: Final = 1_000_000_000
_SHORTEST_ENTRY_NS: Final = 8 * _NS
"""Conntrack keeps no entry for less than 10 s (nf_conntrack_tcp_timeout_close); older ones may have left a dump."""
_QUIET_TCP_NS: Final = 70 * _NS
"""The longest gap between two SYNs of one connect is 64 s (tcp_syn_retries 6, doubling from 1 s)."""
_QUIET_NS: Final = 30 * _NS
_LEAST_MEMORY_NS: Final = 2 * _NS
"""The kernel holds log lines back for a tenth of a second; the rest is margin for a busy agent."""
_REJECTION_NS: Final = _NS // 10
"""A rejection is sure at once; for so long the kernel may hold back the line of another one of the same moment."""
_TCP: Final = 6
_ATTEMPT_EVIDENCE: Final = EVIDENCES.index("attempt")
_REJECT_EVIDENCE: Final = EVIDENCES.index("reject")
_NEVER_NS: Final = 2**63 - 1
_TUPLE_FIELDS: Final = tuple(name for name, _ in TUPLES)

_PENDING: Final = np.dtype(
    [
        *TUPLES,
        ("key", "u8"),
        ("packet_key", "u8"),  # of the latest packet
        ("sequence", "u4"),  # of the latest packet, by which TCP tells a retransmit
        ("connection_id", "i8"),
        ("first_ns", "i8"),
        ("last_ns", "i8"),
        ("waiting_ns", "i8"),  # first packet since the last report
        ("untold_ns", "i8"),  # first packet since the last denial told
        ("untold", "u4"),  # packets since then
        ("packets", "u4"),  # since the last report
        ("bytes", "u8"),
        ("evidence", "u1"),
        ("is_reported", "?"),
        ("is_finished", "?"),  # its final report has been given
    ]
)


class AttemptTable:
    """First packets waiting for conntrack's confirmation, and denied ones that may be tried again.

    An attempt counts as denied when ``patience_ns`` have passed; at most ``capacity`` tuples are held. Read log lines
    before conntrack events and events before each report: then every line has had its confirmation.
    """

    def __init__(self, node_seed: int, patience_ns: int, capacity: int) -> None:
        self._patience_ns = patience_ns
        self._capacity = capacity
        self._seed = node_seed
        self._pending = np.empty(0, _PENDING)
        self._closing: list[npt.NDArray[np.void]] = []
        self._confirmations = Confirmations(max(patience_ns, _LEAST_MEMORY_NS))
        self._is_held = False
        self.overflowed = 0
        """First packets of tuples for which there was no room."""
        self.undetermined = 0
        """First packets of which nothing can be said, since confirmations were lost or the agent stopped."""
        self.untold = 0
        """Denied packets that made room, or waited for the end, before ``take_denials`` told of them."""

    def __len__(self) -> int:
        return len(self._pending)

    def note(self, rows: Attempts, now_ns: int) -> None:
        """Take logged packets, in the order in which the kernel logged them."""
        if len(rows):
            dialled, translated = pair(rows, self._seed)
            keys = dialled_keys(dialled, self._seed)
            is_open = ~self._confirmations.contain(keys)
            self._add(choose(dialled, is_open), keys[is_open])
            self._translate(translated)
            self._reject(choose(rows, rows["kind"] == REJECTED))
        self._confirmations.age(now_ns)

    def confirm(self, entries: npt.NDArray[np.void]) -> None:
        """Take conntrack's word, from events or dumps, that these connections (columns TUPLES) came to be."""
        if not len(entries):
            return
        keys = np.sort(dialled_keys(entries, self._seed))
        self._confirmations.add(keys)
        is_confirmed = find(keys, self._pending["key"]) >= 0
        if is_confirmed.any():
            self._close(choose(self._pending, is_confirmed))
            self._pending = choose(self._pending, ~is_confirmed)

    def hold(self) -> None:
        """Call nothing denied until ``release``: confirmations may have been lost."""
        self._is_held = True

    def release(self, dumped_at_ns: int) -> None:
        """Go on after a dump that began at ``dumped_at_ns`` was given to ``confirm``.

        Attempts so old that their entry may have been gone from the dump are dropped and counted. Does nothing when
        nothing is held.
        """
        if not self._is_held:
            return
        self._is_held = False
        is_lost = (self._pending["packets"] > 0) & (self._pending["waiting_ns"] < dumped_at_ns - _SHORTEST_ENTRY_NS)
        self._give_up(is_lost)

    def take_report(self, now_ns: int, flush: bool = False) -> Reports:
        """Denied attempts since the last report, as deltas, columns of REPORT.

        ``flush`` closes everything, when the agent stops: what is not sure yet is dropped and counted.
        """
        if self._is_held and not flush:
            return np.empty(0, REPORT)
        if flush:
            is_unsure = self._pending["waiting_ns"] > now_ns - self._wait_ns()
            self._give_up((self._pending["packets"] > 0) & (is_unsure | self._is_held))
        rows = self._pending
        is_due = (rows["packets"] > 0) & ((rows["waiting_ns"] <= now_ns - self._patience_ns) | flush)
        quiet_ns = np.where(rows["protocol"] == _TCP, _QUIET_TCP_NS, _QUIET_NS)
        is_over = (rows["packets"] == 0) & ((rows["last_ns"] <= now_ns - quiet_ns) | flush)
        is_last = (rows["evidence"] == _REJECT_EVIDENCE) | (rows["protocol"] != _TCP) | is_over | flush
        chosen = is_due | (is_over & ~rows["is_finished"])
        closing = join(self._closing, _PENDING)
        is_closed = np.ones(len(closing), np.bool_)
        report = join([render(choose(rows, chosen), is_last[chosen]), render(closing, is_closed)], REPORT)
        rows["is_finished"][is_due] |= is_last[is_due]
        rows["is_reported"][is_due] = True
        rows["packets"][is_due] = 0
        rows["bytes"][is_due] = 0
        self.untold += int(rows["untold"][is_over | flush].sum())
        self._pending = choose(rows, ~is_over) if not flush else rows[:0]
        self._closing = []
        return report

    def take_denials(self, now_ns: int) -> Reports:
        """Denied attempts that were not told yet, as deltas, columns of REPORT; what reports say is not changed."""
        is_due = self._tell_at_ns() <= now_ns
        if not is_due.any():  # as nearly always
            return np.empty(0, REPORT)
        denials = render_untold(choose(self._pending, is_due))
        self._pending["untold"][is_due] = 0
        return denials

    def next_denial_ns(self) -> int | None:
        """When ``take_denials`` has something to tell, as far as is known now; None when nothing waits."""
        at_ns = int(self._tell_at_ns().min(initial=_NEVER_NS))
        return None if at_ns == _NEVER_NS else at_ns

    def _tell_at_ns(self) -> Instants:
        """When each row's denial is sure, and so is every other one of its moment."""
        rows = self._pending
        if self._is_held or not len(rows):
            return np.full(len(rows), _NEVER_NS)
        at_ns: Instants = np.where(rows["untold"] > 0, moments_end(rows["untold_ns"]) + self._wait_ns(), _NEVER_NS)
        return at_ns

    def _wait_ns(self) -> Instants:
        """How long each row waits until it is sure."""
        wait_ns: Instants = np.where(self._pending["evidence"] == _REJECT_EVIDENCE, _REJECTION_NS, self._patience_ns)
        return wait_ns

    def _add(self, dialled: Attempts, keys: npt.NDArray[np.uint64]) -> None:
        """Fold packets into their tuples' rows, making rows for new tuples."""
        if not len(dialled):
            return
        order = np.argsort(keys, kind="stable")
        dialled, keys = choose(dialled, order), keys[order]
        firsts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
        lasts = np.concatenate([firsts[1:], [len(keys)]]) - 1
        fresh = np.zeros(len(firsts), _PENDING)
        for field in _TUPLE_FIELDS:
            fresh[field] = dialled[field][firsts]
        fresh["key"] = keys[firsts]
        fresh["packet_key"] = packet_keys(choose(dialled, lasts), self._seed)
        fresh["sequence"] = dialled["packet"][lasts].astype(np.uint32)
        fresh["first_ns"] = fresh["waiting_ns"] = fresh["untold_ns"] = dialled["seen_at_ns"][firsts]
        fresh["last_ns"] = dialled["seen_at_ns"][lasts]
        fresh["packets"] = fresh["untold"] = lasts - firsts + 1
        fresh["bytes"] = np.add.reduceat(dialled["ip_bytes"].astype(np.uint64), firsts)
        fresh["evidence"] = _ATTEMPT_EVIDENCE
        # Of several attempts of one tuple the latest stands first, and is the one that is found.
        at = find(self._pending["key"], fresh["key"])
        is_again = (at >= 0) & ~self._is_another(at, fresh)
        self._repeat(at[is_again], choose(fresh, is_again))
        self._insert(choose(fresh, ~is_again))

    def _is_another(self, at: npt.NDArray[np.intp], fresh: npt.NDArray[np.void]) -> npt.NDArray[np.bool_]:
        """Whether a reset ended the connect that stands ``at``, so that this packet from its port begins another one.

        Before it was told, only a retransmit, of a client that does not heed the rejection, has its sequence number.
        """
        if not len(self._pending):
            return np.zeros(len(fresh), np.bool_)
        known = choose(self._pending, at)
        is_rejected = (known["protocol"] == _TCP) & (known["evidence"] == _REJECT_EVIDENCE)
        is_another: npt.NDArray[np.bool_] = is_rejected & (
            known["is_finished"] | (known["sequence"] != fresh["sequence"])
        )
        return is_another

    def _repeat(self, at: npt.NDArray[np.intp], again: npt.NDArray[np.void]) -> None:
        """Packets of attempts that are known: retransmits, or the same port once more."""
        rows = self._pending
        is_idle = rows["packets"][at] == 0
        rows["waiting_ns"][at[is_idle]] = again["waiting_ns"][is_idle]
        is_told = rows["untold"][at] == 0
        rows["untold_ns"][at[is_told]] = again["untold_ns"][is_told]
        rows["untold"][at] += again["untold"]
        rows["packets"][at] += again["packets"]
        rows["bytes"][at] += again["bytes"]
        rows["last_ns"][at] = np.maximum(rows["last_ns"][at], again["last_ns"])
        rows["packet_key"][at] = again["packet_key"]
        rows["sequence"][at] = again["sequence"]

    def _insert(self, fresh: npt.NDArray[np.void]) -> None:
        missing = len(self._pending) + len(fresh) - self._capacity
        if missing > 0:
            self._evict(missing)
            room = max(self._capacity - len(self._pending), 0)
            self.overflowed += int(fresh["packets"][room:].sum())
            fresh = fresh[:room]
        fresh["connection_id"] = connection_ids(fresh, fresh["first_ns"], self._seed)
        self._pending = insert(self._pending, np.searchsorted(self._pending["key"], fresh["key"]), fresh)

    def _evict(self, count: int) -> None:
        """Make room: tuples that have been reported and are quiet go first, the longest quiet before others."""
        rows = self._pending
        candidates = np.flatnonzero(rows["is_reported"] & (rows["packets"] == 0))
        leaving = candidates[np.argsort(rows["last_ns"][candidates], kind="stable")][:count]
        self.untold += int(rows["untold"][leaving].sum())
        self._close(choose(rows, leaving))
        self._pending = remove(rows, leaving)

    def _translate(self, translated: Attempts) -> None:
        """The real destination of packets whose first line came in an earlier batch."""
        if not len(translated):
            return
        rows = self._pending
        order = np.argsort(rows["packet_key"], kind="stable")
        found = find(rows["packet_key"][order], packet_keys(translated, self._seed))
        at, translated = order[found[found >= 0]], choose(translated, found >= 0)
        # The far end of an attempt that has been reported stays: a retry may meet another backend, yet it is one try.
        is_open = ~rows["is_reported"][at]
        for field in REPLY_FIELDS:
            rows[field][at[is_open]] = translated[field][is_open]

    def _reject(self, rejected: Attempts) -> None:
        if not len(rejected) or not len(self._pending):
            return
        answered = np.sort(answered_keys(rejected, self._seed))
        rows = self._pending
        waiting = np.flatnonzero((rows["packets"] > 0) & (rows["evidence"] != _REJECT_EVIDENCE))
        is_rejected = find(answered, answered_keys(choose(rows, waiting), self._seed)) >= 0
        rows["evidence"][waiting[is_rejected]] = _REJECT_EVIDENCE

    def _close(self, rows: npt.NDArray[np.void]) -> None:
        """Rows that leave the table after they were reported get a last report, without figures."""
        unfinished = choose(rows, rows["is_reported"] & ~rows["is_finished"])
        if not len(unfinished) or sum(map(len, self._closing)) + len(unfinished) > self._capacity:
            return
        unfinished["packets"] = unfinished["bytes"] = 0
        self._closing.append(unfinished)

    def _give_up(self, is_lost: npt.NDArray[np.bool_]) -> None:
        lost = choose(self._pending, is_lost)
        self.undetermined += int(lost["packets"].sum())
        self._close(lost)
        self._pending = choose(self._pending, ~is_lost)
