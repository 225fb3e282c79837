from ipaddress import ip_address

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from agents.node.report.address import render_address, render_addresses
from tests.unit.agents.node.report.builders import words


@given(st.ip_addresses())
def test_text_is_canonical_in_both_families(address: object) -> None:
    parsed = ip_address(str(address))
    mapped = getattr(parsed, "ipv4_mapped", None)
    assert render_address(*words(str(parsed))) == str(mapped or parsed)


@given(st.lists(st.ip_addresses(), max_size=40))
def test_each_distinct_address_is_rendered_once(addresses: list[object]) -> None:
    texts = [str(getattr(address, "ipv4_mapped", None) or address) for address in addresses]
    columns = [words(text) for text in texts]
    high = np.array([word for word, _ in columns], np.uint64)
    low = np.array([word for _, word in columns], np.uint64)
    rendered, indices = render_addresses(high, low)
    assert [rendered[index] for index in indices] == texts
    assert len(set(rendered)) == len(rendered) == len(set(texts))
