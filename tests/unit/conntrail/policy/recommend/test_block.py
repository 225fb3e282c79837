"""Addresses outside the cluster as blocks."""

from collections.abc import Iterable
from ipaddress import ip_address, ip_network

from hypothesis import given
from hypothesis import strategies as st

from conntrail.policy.recommend.block import MAXIMUM_BLOCKS, exact_blocks, parse_all
from conntrail.policy.recommend.block import blocks as blocks_of
from conntrail.policy.recommend.peer import BlockPeer

ADDRESSES = st.sets(
    st.one_of(st.ip_addresses(v=4), st.ip_addresses(network="10.0.0.0/14"), st.ip_addresses(v=6)).map(str),
    min_size=1, max_size=80,
)  # fmt: skip


def blocks(addresses: Iterable[str], kept_out: Iterable[str]) -> tuple[BlockPeer, ...]:
    return blocks_of(addresses, parse_all(kept_out))


def holds(block: BlockPeer, address: str) -> bool:
    parsed = ip_address(address)
    return parsed in ip_network(block.cidr) and not any(parsed in ip_network(item) for item in block.exceptions)


def test_few_addresses_are_named_each_in_both_families() -> None:
    assert [block.cidr for block in blocks(["203.0.113.9", "2001:db8::1"], ())] == ["203.0.113.9/32", "2001:db8::1/128"]


def test_many_of_one_network_are_that_network() -> None:
    assert blocks([f"203.0.113.{number}" for number in range(0, 200, 2)], ()) == (BlockPeer("203.0.113.0/24"),)


def test_clients_from_everywhere_are_every_public_address_but_whoever_was_denied() -> None:
    [block] = blocks([f"8.{number}.1.1" for number in range(100)], ["9.9.9.9", "10.0.0.1"])
    assert block.cidr == "0.0.0.0/0"
    assert holds(block, "8.8.8.8")
    assert not holds(block, "9.9.9.9")
    assert not holds(block, "10.0.0.1")
    assert not holds(block, "169.254.169.254")


def test_a_private_block_that_holds_a_pod_is_not_widened() -> None:
    machines = [f"10.1.{third}.{fourth}" for third in (1, 2) for fourth in range(0, 80, 2)]
    found = blocks(machines, ["10.1.2.77"])
    assert BlockPeer("10.1.1.0/24") in found
    assert not any(holds(block, "10.1.2.77") for block in found)
    assert all(any(holds(block, machine) for block in found) for machine in machines)


@given(ADDRESSES, st.sets(st.ip_addresses(network="10.0.0.0/14").map(str), max_size=20))
def test_every_address_is_held_and_nobody_kept_out_is(addresses: set[str], kept_out: set[str]) -> None:
    found = blocks(addresses, kept_out)
    assert all(any(holds(block, address) for block in found) for address in addresses)
    assert not any(holds(block, address) for block in found for address in kept_out - addresses)
    assert len([block for block in found if block.exceptions]) <= 2


@given(ADDRESSES)
def test_exact_blocks_hold_nobody_else(addresses: set[str]) -> None:
    found = exact_blocks(addresses)
    assert sum(ip_network(block.cidr).num_addresses for block in found) == len(addresses)
    assert all(any(holds(block, address) for block in found) for address in addresses)


def test_a_list_stays_a_list_up_to_the_bound() -> None:
    addresses = [f"8.{number}.1.1" for number in range(MAXIMUM_BLOCKS)]
    assert blocks(addresses, ()) == exact_blocks(addresses)
