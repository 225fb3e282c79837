import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from agents.node.report.columns import SOCKET
from agents.node.report.known_socket import NOWHERE, KnownSockets
from tests.unit.agents.node.report.builders import report, socket

CLIENT, SERVICE, BACKEND, NODE = ("10.0.0.1", 4000), ("10.96.0.1", 80), ("10.0.1.9", 8080), ("192.168.0.2", 6000)


def known(*rows: np.ndarray) -> KnownSockets:
    sockets = KnownSockets(capacity=100)
    for row in rows:
        sockets.note(row)
    sockets.settle()
    return sockets


def test_both_sockets_of_a_connection_on_one_node_are_found() -> None:
    sockets = known(socket(CLIENT, SERVICE, inode=1), socket(BACKEND, NODE, inode=2), socket(CLIENT, BACKEND, inode=3))
    source, destination = sockets.match(report(CLIENT, SERVICE, BACKEND, NODE))
    assert sockets.sockets_at(source)["inode"].tolist() == [1]
    assert sockets.sockets_at(destination)["inode"].tolist() == [2]


def test_a_connection_without_a_local_socket_finds_none() -> None:
    sockets = known(socket(CLIENT, SERVICE, inode=1))
    for row in (report(CLIENT, SERVICE, protocol=17), report(NODE, SERVICE), report(CLIENT, BACKEND)):
        source, destination = sockets.match(row)
        assert source.tolist() == destination.tolist() == [NOWHERE]
        assert sockets.sockets_at(source).tobytes() == bytes(SOCKET.itemsize)


def test_a_closed_socket_keeps_the_inode_and_cgroup_that_it_had() -> None:
    closed = socket(CLIENT, SERVICE, has_figures=True, rtt_us=90, total_retransmits=4)
    sockets = known(socket(CLIENT, SERVICE, inode=7, cgroup_id=8, has_figures=True, rtt_us=50), closed)
    found = sockets.sockets_at(sockets.match(report(CLIENT, SERVICE))[0])
    assert (found["inode"][0], found["cgroup_id"][0], found["rtt_us"][0]) == (7, 8, 90)


def test_equal_keys_of_other_ends_name_no_process() -> None:
    sockets = known(socket(CLIENT, SERVICE, inode=1))
    sockets._known["socket"]["remote_port"] = 81
    assert sockets.match(report(CLIENT, SERVICE))[0].tolist() == [NOWHERE]


def test_retransmits_are_counted_once_over_reports_and_restarts() -> None:
    row = report(CLIENT, SERVICE)
    sockets = known(socket(CLIENT, SERVICE, has_figures=True, total_retransmits=3))
    taken = [int(sockets.take_retransmits(sockets.match(row)[0])[0]) for _ in range(2)]
    restarted = KnownSockets(100)
    restarted.import_state(sockets.export_state())
    assert restarted.export_state() == sockets.export_state()
    restarted.note(socket(CLIENT, SERVICE, has_figures=True, total_retransmits=5))
    restarted.settle()
    taken.append(int(restarted.take_retransmits(restarted.match(row)[0])[0]))
    assert taken == [3, 0, 2]


def test_a_new_socket_on_the_same_ends_counts_from_its_own_start() -> None:
    sockets = known(socket(CLIENT, SERVICE, has_figures=True, total_retransmits=9))
    sockets.take_retransmits(sockets.match(report(CLIENT, SERVICE))[0])
    sockets.note(socket(CLIENT, SERVICE, has_figures=True, total_retransmits=2))
    sockets.settle()
    assert sockets.take_retransmits(sockets.match(report(CLIENT, SERVICE))[0]).tolist() == [2]


def test_a_socket_that_two_rows_name_counts_once() -> None:
    sockets = known(socket(CLIENT, SERVICE, has_figures=True, total_retransmits=3))
    rows = np.concatenate([report(CLIENT, SERVICE), report(CLIENT, SERVICE, zone=1)])
    assert sorted(sockets.take_retransmits(sockets.match(rows)[0]).tolist()) == [0, 3]


def test_sockets_leave_with_their_connection() -> None:
    sockets = known(socket(CLIENT, SERVICE), socket(SERVICE, CLIENT), socket(CLIENT, BACKEND))
    ended = report(CLIENT, SERVICE, is_final=True)
    kept = report(CLIENT, BACKEND)
    sockets.match(np.concatenate([ended, kept]))
    sockets.forget(np.concatenate([ended, kept]))
    assert len(sockets) == 1


def test_sockets_that_match_no_connection_leave_after_two_intervals() -> None:
    sockets = known(socket(CLIENT, SERVICE))
    lengths = []
    for _ in range(4):
        sockets.forget(report(NODE, BACKEND))
        lengths.append(len(sockets))
    assert lengths == [1, 1, 0, 0]


@given(st.integers(0, 300))
def test_never_more_than_the_capacity_and_what_is_forgotten_is_counted(count: int) -> None:
    sockets = known(*(socket(("10.0.0.1", port + 1), SERVICE) for port in range(count)))
    rows = report(NODE, BACKEND)
    sockets._known["is_matched"] = True
    sockets.forget(rows)
    assert len(sockets) + sockets.forgotten == count
    assert len(sockets) <= 100


def test_a_torn_state_is_taken_as_far_as_it_goes() -> None:
    sockets = known(socket(CLIENT, SERVICE, has_figures=True, total_retransmits=3))
    sockets.take_retransmits(sockets.match(report(CLIENT, SERVICE))[0])
    restarted = KnownSockets(100)
    restarted.import_state(sockets.export_state() + b"torn")
    assert restarted.export_state() == sockets.export_state()
