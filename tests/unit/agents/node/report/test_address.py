from ipaddress import ip_address

from hypothesis import given
from hypothesis import strategies as st

from agents.node.report.address import AddressText, render_address
from tests.unit.agents.node.report.builders import words


@given(st.ip_addresses())
def test_text_is_canonical_in_both_families(address: object) -> None:
    parsed = ip_address(str(address))
    mapped = getattr(parsed, "ipv4_mapped", None)
    assert render_address(*words(str(parsed))) == str(mapped or parsed)


def test_a_scan_does_not_fill_the_memory_with_addresses() -> None:
    texts = AddressText()
    for block in range(12):
        low = range(block * 10_000, (block + 1) * 10_000)
        assert len(texts.render([1] * len(low), low)) == len(low)
    assert len(texts._known) <= 50_000
    assert texts.render([0], [(0xFFFF << 32) | 0x0A000001]) == ["10.0.0.1"]
