"""Decides which 64-bit numbers stand for a connection's canonical tuple and for a socket's two ends.

The mix is splitmix64's finaliser (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014)
absorbing one 64-bit word after the other, so that every implementation on every node gives the same key.
"""

import numpy as np
import numpy.typing as npt

from agents.node.report.columns import Reports, Sockets

Keys = npt.NDArray[np.uint64]
_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_SHIFTS = (np.uint64(30), np.uint64(27), np.uint64(31))


def flow_keys(reports: Reports) -> npt.NDArray[np.int64]:
    """Key of each row's canonical tuple: the ends as they are on the wire between the nodes.

    A node that translated addresses knows the wire by its reply tuple: the real destination answers (reply
    source), to the source as it became after SNAT (reply destination). The far node's reply tuple holds the same
    two ends. They are sorted, so the direction does not matter.
    """
    answering = _end(reports, "reply_source")
    answered = _end(reports, "reply_destination")
    is_sorted = _is_less_or_equal(answering, answered)
    low = [np.where(is_sorted, one, other) for one, other in zip(answering, answered, strict=True)]
    high = [np.where(is_sorted, other, one) for one, other in zip(answering, answered, strict=True)]
    head = (
        reports["protocol"].astype(np.uint64)
        | (reports["zone"].astype(np.uint64) << np.uint64(8))
        | (reports["icmp_id"].astype(np.uint64) << np.uint64(24))
    )
    return mix(head, *low, *high).view(np.int64)


def source_socket_keys(reports: Reports) -> Keys:
    """Key of the socket that dialled: it knows what was dialled, before DNAT."""
    return _socket_keys(reports, _end(reports, "original_source"), _end(reports, "original_destination"))


def destination_socket_keys(reports: Reports) -> Keys:
    """Key of the socket that answers: it knows the source as it became after SNAT."""
    return _socket_keys(reports, _end(reports, "reply_source"), _end(reports, "reply_destination"))


def socket_keys(sockets: Sockets) -> Keys:
    """Key of each socket's own two ends."""
    return _socket_keys(sockets, _end(sockets, "local"), _end(sockets, "remote"))


def _socket_keys(rows: npt.NDArray[np.void], local: list[Keys], remote: list[Keys]) -> Keys:
    return mix(rows["protocol"].astype(np.uint64), *local, *remote)


def _end(rows: npt.NDArray[np.void], name: str) -> list[Keys]:
    return [rows[f"{name}_high"], rows[f"{name}_low"], rows[f"{name}_port"].astype(np.uint64)]


def _is_less_or_equal(one: list[Keys], other: list[Keys]) -> npt.NDArray[np.bool_]:
    """Lexicographic, word by word."""
    result = one[-1] <= other[-1]
    for left, right in zip(one[-2::-1], other[-2::-1], strict=True):
        result = (left < right) | ((left == right) & result)
    return result


def mix(*words: Keys) -> Keys:
    """One 64-bit hash for each row of the columns of words."""
    state = np.zeros(len(words[0]), np.uint64)
    for word in words:
        state = (state + _GAMMA) ^ word
        state = (state ^ (state >> _SHIFTS[0])) * _FIRST
        state = (state ^ (state >> _SHIFTS[1])) * _SECOND
        state ^= state >> _SHIFTS[2]
    return state
