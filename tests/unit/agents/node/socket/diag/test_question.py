"""Each end is asked for as its own socket knows it."""

import struct

import numpy as np
import pytest

from agents.node.attempt.address import map_address
from agents.node.report.columns import REPORT
from agents.node.socket.diag.question import make_questions, render_requests

_PACKED = {
    2: [bytes([10, 0, 0, number]) for number in (1, 2, 3, 4)],
    10: [b"\xfd" + bytes(14) + bytes([number]) for number in (1, 2, 3, 4)],
}
_ENDS = ("original_source", "original_destination", "reply_source", "reply_destination")


@pytest.mark.parametrize("family", [2, 10], ids=["ipv4", "ipv6"])
@pytest.mark.parametrize("protocol", [6, 17], ids=["tcp", "udp"])
def test_both_ends_are_asked_for_as_their_sockets_know_them(family: int, protocol: int) -> None:
    row = np.zeros(1, REPORT)
    row["protocol"] = protocol
    for number, (end, packed) in enumerate(zip(_ENDS, _PACKED[family], strict=True), 1):
        row[f"{end}_high"], row[f"{end}_low"] = map_address(packed)
        row[f"{end}_port"] = number
    requests = render_requests(make_questions(row), 41)
    assert len(requests) == 2 * 72
    for index, (local, remote) in enumerate([(1, 2), (3, 4)]):
        length, kind, flags, number, _, asked_family, asked_protocol, extensions = struct.unpack_from(
            "=IHHIIBBB", requests, index * 72
        )
        assert (length, kind, flags, number, asked_family) == (72, 20, 1, 41 + index, family)
        assert (asked_protocol, extensions) == (protocol, 2)
        first, second = (local, remote) if protocol == 6 else (remote, local)
        ports = struct.unpack_from("!HH", requests, index * 72 + 24)
        source, destination = struct.unpack_from("16s16s", requests, index * 72 + 28)
        assert ports == (first, second)
        assert source == _PACKED[family][first - 1].ljust(16, b"\0")
        assert destination == _PACKED[family][second - 1].ljust(16, b"\0")
        assert requests[index * 72 + 64 : index * 72 + 72] == b"\xff" * 8
