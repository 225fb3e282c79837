"""Beside refused connections it is told how many of the same client to the same destination were not."""

import numpy as np
import pytest

from agents.node.conntrack.entry import ENTRY, Entries
from agents.node.conntrack.refusal import Refusals
from agents.node.report.rows import join

NOW = 1_800_000_000 * 10**9
SECOND = 10**9
CLIENTS = {2: (0, 0xFFFF_0A00_0001), 10: (0xFD00 << 48, 1)}


def tries(count: int, *, client: int = 0, port: int = 80, family: int = 2) -> Entries:
    """Connections of a client, as conntrack tells of their beginnings."""
    entries = np.zeros(count, ENTRY)
    high, low = CLIENTS[family]
    entries["family"], entries["protocol"], entries["has_counters"], entries["original_packets"] = family, 6, True, 1
    entries["original_source_high"], entries["original_source_low"] = high, low + client
    entries["original_destination_port"] = port
    entries["original_source_port"] = 40_000 + np.arange(count)
    return entries


def refused(began: Entries) -> Entries:
    """The ends of these."""
    ended = began.copy()
    ended["reply_packets"] = 1
    return ended


class Node:
    """Looks at the events twice a second, and tells."""

    def __init__(self) -> None:
        self.refusals = Refusals(seed=7)
        self.now_ns = NOW

    def look(self, refused_tries: Entries, others: Entries) -> list[tuple[int, int]]:
        """Port, and how many began meanwhile, of each client and port in the order of the ports."""
        self.now_ns += SECOND // 2
        self.refusals.note_new(join([refused_tries, others], ENTRY), self.now_ns)
        self.refusals.note(refused(refused_tries), self.now_ns)
        rows = self.refusals.take(self.now_ns + SECOND // 5)
        ports = sorted(set(rows["original_destination_port"].tolist()))
        return [(port, int(rows["begun"][rows["original_destination_port"] == port].sum())) for port in ports]


@pytest.mark.parametrize("family", [2, 10])
def test_where_all_is_refused_nothing_else_began(family: int) -> None:
    node = Node()
    none = tries(0)
    for _ in range(3):
        assert node.look(tries(4, family=family), none) == [(80, 4)]


def test_others_of_the_client_to_the_destination_count_from_the_first_refusal_on() -> None:
    node = Node()
    assert node.look(tries(1), tries(50)) == [(80, 1)]
    assert node.look(tries(2), tries(5)) == [(80, 7)]
    assert node.look(tries(0), tries(5)) == []
    assert node.look(tries(1), tries(3)) == [(80, 9)]
    assert node.look(tries(1), tries(0)) == [(80, 1)]


def test_other_clients_and_ports_are_no_others() -> None:
    node = Node()
    node.look(join([tries(1), tries(1, port=81)], ENTRY), tries(0))
    others = join([tries(9, client=1), tries(9, port=82), tries(2, port=81)], ENTRY)
    assert node.look(join([tries(1), tries(1, port=81)], ENTRY), others) == [(80, 1), (81, 3)]


def test_what_has_just_begun_is_counted_when_it_is_known_not_to_be_refused() -> None:
    refusals = Refusals(seed=7)
    refusals.note(refused(tries(1)), NOW)
    began, later = tries(1), NOW + SECOND
    refusals.note_new(began, later)
    refusals.note(refused(tries(1)), later)
    refusals.note_new(tries(1), later + SECOND // 10)
    assert refusals.take(later + SECOND // 10)["begun"].sum() == 1
    refusals.note(refused(tries(2)), later + SECOND)
    assert refusals.take(later + 2 * SECOND)["begun"].sum() == 3


def test_after_a_scan_what_has_no_room_is_told_as_not_counted() -> None:
    refusals = Refusals(seed=7)
    scan = tries(4_096)
    scan["original_destination_port"] = 1 + np.arange(4_096)
    refusals.note(refused(scan), NOW)
    assert (refusals.take(NOW + SECOND)["begun"] == 1).all()
    refusals.note(refused(tries(1, client=1)), NOW + SECOND)
    assert refusals.take(NOW + 2 * SECOND)["begun"].tolist() == [0]
    later = NOW + 200 * SECOND
    refusals.note_new(tries(0), later)
    for turn in range(2):
        refusals.note(refused(tries(1, client=1)), later + turn * SECOND)
        told = refusals.take(later + turn * SECOND + SECOND // 2)["begun"].tolist()
    assert told == [1]


@pytest.mark.parametrize("step_ns", [SECOND // 2, -SECOND // 2], ids=["clock goes on", "clock is set back"])
def test_what_begins_while_nothing_is_refused_any_more_takes_no_room(step_ns: int) -> None:
    refusals = Refusals(seed=7)
    refusals.note(refused(tries(1)), NOW)
    for turn in range(1, 1_000):
        refusals.note_new(tries(50), NOW + turn * step_ns)
        assert len(refusals._begun._waiting) <= 1
    assert not refusals._begun._others
