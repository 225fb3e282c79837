import communityid
from hypothesis import given
from hypothesis import strategies as st

from streams.window.community_id import community_id

ports = st.integers(0, 65535)
REFERENCE = communityid.CommunityID()


@given(st.sampled_from([6, 17, 132]), st.ip_addresses(v=4), st.ip_addresses(v=4), ports, ports)
def test_it_equals_the_reference_for_ports(protocol: int, source: object, destination: object, a: int, b: int) -> None:
    tuple_ = communityid.FlowTuple(protocol, str(source), str(destination), a, b)
    assert community_id(protocol, (str(source), a), (str(destination), b), (0, 0)) == REFERENCE.calc(tuple_)


@given(st.sampled_from([6, 17]), st.ip_addresses(v=6), st.ip_addresses(v=6), ports, ports)
def test_it_equals_the_reference_for_ipv6(protocol: int, source: object, destination: object, a: int, b: int) -> None:
    tuple_ = communityid.FlowTuple(protocol, str(source), str(destination), a, b)
    assert community_id(protocol, (str(source), a), (str(destination), b), (0, 0)) == REFERENCE.calc(tuple_)


@given(st.ip_addresses(v=4), st.ip_addresses(v=4), st.integers(0, 20), st.integers(0, 15))
def test_it_equals_the_reference_for_icmp(source: object, destination: object, kind: int, code: int) -> None:
    tuple_ = communityid.FlowTuple.make_icmp(str(source), str(destination), kind, code)
    assert community_id(1, (str(source), 0), (str(destination), 0), (kind, code)) == REFERENCE.calc(tuple_)


@given(st.ip_addresses(v=6), st.ip_addresses(v=6), st.integers(125, 150), st.integers(0, 15))
def test_it_equals_the_reference_for_icmpv6(source: object, destination: object, kind: int, code: int) -> None:
    tuple_ = communityid.FlowTuple.make_icmp6(str(source), str(destination), kind, code)
    assert community_id(58, (str(source), 0), (str(destination), 0), (kind, code)) == REFERENCE.calc(tuple_)
