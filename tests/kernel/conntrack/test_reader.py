"""Dumps and events of a real kernel, against pyroute2's own decoder and the conntrack program."""

import os
import shutil
import socket
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any

import pytest
from pyroute2.netlink.nfnetlink.nfctsocket import NFCTSocket

from agents.node.conntrack.reader import ConntrackReader, Events
from agents.node.conntrack.table import ConnectionTable
from agents.node.namespace.reader import entered
from agents.node.report.columns import END_REASONS
from tests.support.conntrack_load import load, run, tracking_namespace

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
    pytest.mark.skipif(shutil.which("conntrack") is None, reason="needs the conntrack program (make setup)"),
]
NAME = "ctread"
Row = tuple[Any, ...]


@pytest.fixture
def namespace() -> Iterator[str]:
    with tracking_namespace(NAME) as path:
        yield path


@pytest.fixture
def reader(namespace: str) -> Iterator[ConntrackReader]:
    opened = ConntrackReader(namespace, 1 << 22)
    opened.start()
    yield opened
    opened.close()


def address(row: Any, name: str) -> str:
    number = (int(row[f"{name}_high"]) << 64) | int(row[f"{name}_low"])
    parsed = ip_address(number.to_bytes(16, "big"))
    return str(getattr(parsed, "ipv4_mapped", None) or parsed)


def ours(row: Any) -> Row:
    names = ("original_source_port", "original_destination_port", "reply_source_port", "reply_destination_port")
    return (
        int(row["id"]),
        int(row["protocol"]),
        *(
            address(row, end)
            for end in ("original_source", "original_destination", "reply_source", "reply_destination")
        ),
        *(int(row[name]) for name in names),
        int(row["status"]),
        int(row["mark"]),
        int(row["tcp_state"]),
        int(row["original_packets"]),
        int(row["reply_bytes"]),
        int(row["started_at_ns"]),
    )


def theirs(message: Any) -> Row:
    def get(*path: str) -> Any:
        value = message
        for name in path:
            value = value.get_attr(name) if value is not None else None
        return value

    def end(direction: str, name: str) -> str:
        found = get(direction, "CTA_TUPLE_IP", f"CTA_IP_V4_{name}") or get(
            direction, "CTA_TUPLE_IP", f"CTA_IP_V6_{name}"
        )
        return str(ip_address(found))

    def port(direction: str, name: str) -> int:
        return int(get(direction, "CTA_TUPLE_PROTO", f"CTA_PROTO_{name}_PORT") or 0)

    both = ("CTA_TUPLE_ORIG", "CTA_TUPLE_REPLY")
    return (
        get("CTA_ID"),
        get("CTA_TUPLE_ORIG", "CTA_TUPLE_PROTO", "CTA_PROTO_NUM"),
        *(end(direction, name) for direction in both for name in ("SRC", "DST")),
        *(port(direction, name) for direction in both for name in ("SRC", "DST")),
        get("CTA_STATUS"),
        get("CTA_MARK") or 0,
        get("CTA_PROTOINFO", "CTA_PROTOINFO_TCP", "CTA_PROTOINFO_TCP_STATE") or 0,
        get("CTA_COUNTERS_ORIG", "CTA_COUNTERS_PACKETS") or 0,
        get("CTA_COUNTERS_REPLY", "CTA_COUNTERS_BYTES") or 0,
        get("CTA_TIMESTAMP", "CTA_TIMESTAMP_START") or 0,
    )


def test_a_dump_says_what_pyroute2_says(reader: ConntrackReader, namespace: str) -> None:
    load(NAME, 3000)
    dump = reader.dump()
    expected = []
    for family in (socket.AF_INET, socket.AF_INET6):
        with entered(namespace), NFCTSocket(nfgen_family=family) as reference:
            expected += [theirs(message) for message in reference.dump()]
    assert dump.malformed == 0
    assert len(expected) == 3000
    assert sorted(ours(row) for row in dump.entries) == sorted(expected)


def test_events_tell_beginnings_and_ends_with_final_counters(reader: ConntrackReader, namespace: str) -> None:
    with entered(namespace):
        server = socket.create_server(("127.0.0.1", 0))
    port = server.getsockname()[1]
    with entered(namespace):
        client = socket.create_connection(("127.0.0.1", port))
    peer, _ = server.accept()
    client.sendall(b"x" * 1000)
    assert len(peer.recv(2000, socket.MSG_WAITALL | socket.MSG_DONTWAIT) or b"x")
    for opened in (client, peer, server):
        opened.close()
    listing = run("ip", "netns", "exec", NAME, "conntrack", "-L", "-p", "tcp", "-o", "extended")
    counted = [int(word.removeprefix("bytes=")) for word in listing.split() if word.startswith("bytes=")]
    run("ip", "netns", "exec", NAME, "conntrack", "-F")
    events = read_all(reader)
    assert [int(row["original_destination_port"]) for row in events.new] == [port]
    (ended,) = events.destroyed
    assert [int(ended["original_bytes"]), int(ended["reply_bytes"])] == counted
    assert ended["has_counters"]
    assert 0 < ended["started_at_ns"] <= ended["stopped_at_ns"]


def test_a_dead_port_is_reported_as_reset(reader: ConntrackReader, namespace: str) -> None:
    table = ConnectionTable(1, 100)
    table.apply_dump(reader.dump().entries, 1)
    table.take_report(1)
    with entered(namespace):
        client = socket.socket()
    assert client.connect_ex(("127.0.0.1", 9)) != 0
    client.close()
    events = read_all(reader)
    table.apply_new(events.new, 2)
    table.apply_destroyed(events.destroyed, 2)
    table.apply_dump(reader.dump().entries, 3)
    (row,) = table.take_report(3)
    assert END_REASONS[row["end_reason"]] == "reset"
    assert row["is_first"]
    assert row["is_final"]


def test_an_overrun_is_counted_and_the_socket_goes_on(namespace: str) -> None:
    small = ConntrackReader(namespace, 4096)
    small.start()
    load(NAME, 3000)
    first = small.read_events()
    assert first.overruns >= 1
    assert first.malformed == 0
    run("ip", "netns", "exec", NAME, "conntrack", "-D", "-p", "icmp", "-s", "10.1.0.0/16")
    assert len(read_all(small).destroyed) >= 1
    small.close()


def read_all(reader: ConntrackReader) -> Events:
    """Events are queued in the kernel before the call that caused them returns."""
    return reader.read_events()
