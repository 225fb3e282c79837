"""Names are read as dnspython reads them, from whatever bytes."""

import dns.exception
import dns.name
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.node.dns.name import read_name, skip_labels

LABELS = st.binary(min_size=1, max_size=20) | st.sampled_from([b"www", b"Example", b"a.b", b"\0", b"*", b'"', b"_x-1"])


def reference(message: bytes, start: int) -> tuple[str, int] | None:
    try:
        name, length = dns.name.from_wire(message, start)
    except (dns.exception.DNSException, IndexError):
        return None
    return name.to_text(omit_final_dot=len(name.labels) > 1).lower(), start + length


@given(st.lists(LABELS, max_size=14), st.binary(max_size=4))
def test_a_name_without_pointers_has_dnspythons_text(labels: list[bytes], rest: bytes) -> None:
    message = b"".join(bytes([len(label)]) + label for label in labels) + b"\0" + rest
    assert read_name(message, 0) == reference(message, 0)
    if read_name(message, 0) is not None:
        assert skip_labels(message, 0) == len(message) - len(rest) - 1


@given(
    st.binary(max_size=60) | st.lists(st.sampled_from([0, 1, 2, 3, 63, 64, 0xC0, 65]), max_size=40).map(bytes),
    st.data(),
)
@settings(max_examples=200)
def test_any_bytes_are_read_as_dnspython_reads_them(message: bytes, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(message)))
    assert read_name(message, start) == reference(message, start)


@pytest.mark.parametrize(
    "message",
    [
        b"\xc0\x00",
        b"\1a\xc0\x00",
        b"\xc0\x02\0",
        b"\xc0\x7f",
        b"\xc0",
        b"\3ab",
        b"\x40" + b"a" * 64 + b"\0",
        b"\x80\0",
        b"",
    ],
    ids=["itself", "loop", "forward", "beyond", "half", "short", "label of 64", "reserved", "nothing"],
)
def test_what_is_no_name_is_none(message: bytes) -> None:
    assert read_name(message, 0) is None


def test_the_longest_name_is_read_and_no_longer_one() -> None:
    longest = (b"\x3f" + b"a" * 63) * 3 + b"\x3d" + b"a" * 61 + b"\0"
    assert len(longest) == 255
    assert read_name(longest, 0) is not None
    assert read_name(b"\1a" + longest, 0) is None
    assert read_name(longest + b"\1a\xc0\0", len(longest)) is None
    assert skip_labels(longest, 0) == 254
    assert skip_labels(b"\1a" + longest, 0) == -1


@pytest.mark.parametrize("hops", [15, 16, 17, 18])
def test_a_chain_of_pointers_is_followed_as_far_as_dnspython_follows_it(hops: int) -> None:
    message = b"\1a\0" + b"".join(bytes([0xC0, 3 + 2 * (turn - 1) if turn else 0]) for turn in range(hops))
    assert read_name(message, len(message) - 2) == reference(message, len(message) - 2)


def test_a_name_of_many_pointers_is_none() -> None:
    chain = b"\0" + b"".join(b"\1a" + (0xC000 | place).to_bytes(2, "big") for place in [0, *range(1, 200, 4)])
    assert read_name(chain, 1 + 4 * 15) == (".".join("a" * 16), 1 + 4 * 16)
    assert read_name(chain, 1 + 4 * 16) is None
