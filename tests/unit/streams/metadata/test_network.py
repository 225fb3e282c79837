import ipaddress

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from streams.metadata.network import Networks

NETWORKS = st.one_of(
    st.builds(lambda a, n: f"{a}/{n}", st.ip_addresses(v=4), st.integers(0, 32)),
    st.builds(lambda a, n: f"{a}/{n}", st.ip_addresses(v=6), st.integers(0, 128)),
)


@given(st.lists(NETWORKS, max_size=6), st.lists(st.ip_addresses(), max_size=6))
def test_a_set_contains_what_one_of_its_ranges_contains(
    texts: list[str], addresses: list[ipaddress.IPv4Address]
) -> None:
    networks = [ipaddress.ip_network(text, strict=False) for text in texts]
    edges = [address for network in networks for address in (network[0], network[-1])]
    asked = [*addresses, *edges]
    expected = [any(address in network for network in networks) for address in asked]
    found = Networks(texts).contains(pl.Series([str(address) for address in asked], dtype=pl.String))
    assert found.tolist() == expected


def test_what_is_no_address_lies_in_no_range() -> None:
    texts = ["", "10.0.0", "10.0.0.x", "256.1.1.1.1", ":", "::g", None]
    assert not Networks(["0.0.0.0/0", "::/0", "nonsense"]).contains(pl.Series(texts, dtype=pl.String)).any()
