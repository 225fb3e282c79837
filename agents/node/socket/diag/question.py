"""Puts exact questions to sock_diag: one request a socket end, many in one send.

Source: linux/inet_diag.h (struct inet_diag_req_v2), linux/sock_diag.h. The answer carries the request's number, so
that it is known which end was asked for even when a bound socket without a peer answers.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

_SOCK_DIAG_BY_FAMILY: Final = 20
_REQUEST: Final = 0x1
_WITH_TCP_INFO: Final = 1 << 1  # INET_DIAG_INFO is 2, its bit is one less
_ALL_STATES: Final = 0xFFFFFFFF
_ANY_COOKIE: Final = 0xFFFFFFFFFFFFFFFF
_MAPPED_PREFIX: Final = 0xFFFF
_AF_INET: Final = 2
_AF_INET6: Final = 10
_UDP: Final = 17

QUESTION: Final = np.dtype(
    [
        ("protocol", "u1"),
        ("local_high", "u8"),
        ("local_low", "u8"),
        ("remote_high", "u8"),
        ("remote_low", "u8"),
        ("local_port", "u2"),
        ("remote_port", "u2"),
    ]
)
"""One end of a connection: the socket that would have these addresses and ports."""

_MESSAGE: Final = np.dtype(
    [
        ("length", "u4"),
        ("type", "u2"),
        ("flags", "u2"),
        ("number", "u4"),
        ("sender", "u4"),
        ("family", "u1"),
        ("protocol", "u1"),
        ("extensions", "u1"),
        ("padding", "u1"),
        ("states", "u4"),
        ("source_port", ">u2"),
        ("destination_port", ">u2"),
        ("source", ">u8", 2),
        ("destination", ">u8", 2),
        ("device", "u4"),
        ("cookie", "u8"),
    ]
)
Questions = npt.NDArray[np.void]
Words = npt.NDArray[np.uint64]


def make_questions(rows: npt.NDArray[np.void]) -> Questions:
    """Both ends of each row (columns TUPLES): the dialling socket knows what was dialled, before destination NAT;
    the answering one knows the source as it became after source NAT.
    """
    questions = np.zeros(2 * len(rows), QUESTION)
    for half, (local, remote) in enumerate(
        (("original_source", "original_destination"), ("reply_source", "reply_destination"))
    ):
        part = questions[half * len(rows) : (half + 1) * len(rows)]
        part["protocol"] = rows["protocol"]
        for word in ("high", "low", "port"):
            part[f"local_{word}"] = rows[f"{local}_{word}"]
            part[f"remote_{word}"] = rows[f"{remote}_{word}"]
    return questions


def render_requests(questions: Questions, first_number: int) -> bytes:
    """Netlink messages asking for each end, numbered from ``first_number``."""
    messages = np.zeros(len(questions), _MESSAGE)
    messages["length"] = _MESSAGE.itemsize
    messages["type"] = _SOCK_DIAG_BY_FAMILY
    messages["flags"] = _REQUEST
    messages["number"] = first_number + np.arange(len(questions))
    is_v4 = (questions["local_high"] == 0) & (questions["local_low"] >> np.uint64(32) == _MAPPED_PREFIX)
    messages["family"] = np.where(is_v4, _AF_INET, _AF_INET6)
    messages["protocol"] = questions["protocol"]
    messages["extensions"] = _WITH_TCP_INFO
    messages["states"] = _ALL_STATES
    messages["cookie"] = _ANY_COOKIE
    # udp_diag looks up as if a packet came in: there source and destination are the other way round (net/ipv4/
    # udp_diag.c, "src and dst are swapped for historical reasons").
    is_udp = questions["protocol"] == _UDP
    local, remote = _addresses(questions, "local", is_v4), _addresses(questions, "remote", is_v4)
    messages["source"] = np.where(is_udp[:, None], remote, local)
    messages["destination"] = np.where(is_udp[:, None], local, remote)
    messages["source_port"] = np.where(is_udp, questions["remote_port"], questions["local_port"])
    messages["destination_port"] = np.where(is_udp, questions["local_port"], questions["remote_port"])
    return messages.tobytes()


def _addresses(questions: Questions, end: str, is_v4: npt.NDArray[np.bool_]) -> Words:
    """16 bytes each; an IPv4 address stands in the first four."""
    high, low = questions[f"{end}_high"], questions[f"{end}_low"]
    first = np.where(is_v4, low << np.uint64(32), high)
    return np.stack([first, np.where(is_v4, np.uint64(0), low)], axis=1)
