"""Texts that come from anybody are bounded, and move nobody's cursor."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.node.application.head import clean_text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"", ""),
        (b" shop.example ", "shop.example"),
        ("gr\u00fc\u00dfe \u4e16".encode(), "gr\u00fc\u00dfe \u4e16"),
        (b"a\xffb", "a\ufffdb"),
        (b"a\0.b", "a\ufffd.b"),
        (b"\x1b[2Jx", "\ufffd[2Jx"),
        (b"a\r\nb", "a\ufffd\ufffdb"),
        ("a\u202eb".encode(), "a\ufffdb"),
    ],
)
def test_what_cannot_be_printed_is_replaced(value: bytes, text: str) -> None:
    assert clean_text(value, 20) == text


@given(st.binary(max_size=100), st.integers(0, 20))
def test_any_bytes_give_a_text_within_the_length(value: bytes, length: int) -> None:
    text = clean_text(value, length)
    assert len(text) <= max(length, 0)
    assert text.isprintable()
