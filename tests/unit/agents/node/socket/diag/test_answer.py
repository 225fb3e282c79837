"""sock_diag's messages to columns: any arrangement of attributes, and nothing hostile believed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.node.report.address import render_address
from agents.node.socket.diag.answer import AnswerDecoder
from tests.unit.agents.node.socket.diag.messages import LISTEN, attribute, joined, message, tcp_info

_FOUR = (("10.0.0.1", 1234), ("10.0.0.2", 80))
_SIX = (("fd00::1", 1234), ("fd00::2", 80))
_INFO, _CGROUP, _CONGESTION = 2, 21, 4


@pytest.mark.parametrize("ends", [_FOUR, _SIX], ids=["ipv4", "ipv6"])
def test_a_socket_tells_its_ends_figures_and_cgroup(ends: tuple[tuple[str, int], tuple[str, int]]) -> None:
    cgroup = attribute(_CGROUP, (99).to_bytes(8, "little"))
    whole = message(*ends, attribute(_CONGESTION, b"cubic\0"), attribute(_INFO, tcp_info()), cgroup)
    [found], indices, malformed = AnswerDecoder().decode(*joined(whole))
    assert (render_address(int(found["local_high"]), int(found["local_low"])), found["local_port"]) == ends[0]
    assert (render_address(int(found["remote_high"]), int(found["remote_low"])), found["remote_port"]) == ends[1]
    assert (found["inode"], found["cgroup_id"], found["state"]) == (4711, 99, 1)
    assert (found["rtt_us"], found["rtt_var_us"], found["total_retransmits"], found["lost"]) == (150, 40, 3, 2)
    assert (found["delivery_rate"], bool(found["has_figures"])) == (1_000_000, True)
    assert (indices, malformed) == ([0], 0)


def test_messages_of_the_same_length_and_another_arrangement_are_told_apart() -> None:
    info, cgroup = attribute(_INFO, tcp_info()), attribute(_CGROUP, (7).to_bytes(8, "little"))
    messages = [message(*_FOUR, info, cgroup), message(*_FOUR, cgroup, info), message(*_FOUR, info, cgroup)]
    sockets, indices, malformed = AnswerDecoder().decode(*joined(*messages))
    assert sockets["cgroup_id"].tolist() == [7, 7, 7]
    assert sockets["rtt_us"].tolist() == [150, 150, 150]
    assert (sorted(indices), malformed) == ([0, 1, 2], 0)


def test_an_old_kernels_shorter_figures_are_read_as_far_as_they_go() -> None:
    [found], _, _ = AnswerDecoder().decode(*joined(message(*_FOUR, attribute(_INFO, tcp_info(size=104)))))
    assert (found["total_retransmits"], found["delivery_rate"], bool(found["has_figures"])) == (3, 0, True)


def test_a_listeners_queue_is_not_taken_for_figures() -> None:
    [found], _, _ = AnswerDecoder().decode(*joined(message(*_FOUR, attribute(_INFO, tcp_info()), state=LISTEN)))
    assert not found["has_figures"]
    assert found["lost"] == found["rtt_us"] == 0


def test_broken_messages_are_counted_and_others_read() -> None:
    good = message(*_FOUR)
    strange = bytearray(good)
    strange[16] = 7
    beyond = message(*_FOUR, b"\xff\xff\x02\x00")
    sockets, indices, malformed = AnswerDecoder().decode(*joined(bytes(strange), good, beyond, good[:40]))
    assert (len(sockets), indices, malformed) == (1, [1], 3)


@given(st.lists(st.binary(max_size=200), max_size=5))
def test_any_bytes_are_sockets_or_counted(messages: list[bytes]) -> None:
    sockets, indices, malformed = AnswerDecoder().decode(*joined(*messages))
    assert len(sockets) == len(indices)
    assert len(sockets) + malformed == len(messages)


@given(st.data())
def test_a_message_with_bytes_changed_never_breaks_a_decoder_that_learned(data: st.DataObject) -> None:
    decoder = AnswerDecoder()
    good = message(*_SIX, attribute(_INFO, tcp_info()), attribute(_CGROUP, bytes(8)))
    decoder.decode(*joined(good))
    changed = bytearray(good)
    for _ in range(data.draw(st.integers(1, 8))):
        changed[data.draw(st.integers(16, len(changed) - 1))] = data.draw(st.integers(0, 255))
    sockets, _, malformed = decoder.decode(*joined(bytes(changed), good))
    assert len(sockets) + malformed == 2
    assert len(sockets) >= 1
