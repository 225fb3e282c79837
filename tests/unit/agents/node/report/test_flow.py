from dataclasses import dataclass
from io import BytesIO
from typing import Any

import fastavro
import numpy as np

from agents.node.report.columns import REPORT
from agents.node.report.flow import assemble_flows
from agents.node.report.key import flow_keys
from agents.node.report.known_socket import KnownSockets
from agents.node.report.name_book import NameBook
from agents.node.report.protocol_book import ProtocolBook
from agents.publish.column import ColumnEncoder
from schemas.schema import read_schema
from tests.unit.agents.node.report.builders import report, socket

Row = dict[str, Any]
SCHEMA = read_schema("raw_flow")
CLIENT, SERVICE, BACKEND = ("10.0.0.1", 4000), ("10.96.0.1", 80), ("10.0.1.9", 8080)


@dataclass(frozen=True)
class Program:
    pid: int
    name: str
    executable: str


def assemble(rows: np.ndarray, sockets: tuple = (), processes: dict | None = None) -> list[Row]:
    """Rows as a reader of the topic sees them."""
    known = KnownSockets(100)
    for row in sockets:
        known.note(row)
    known.settle()
    encoded = ColumnEncoder(SCHEMA).encode(assemble_flows(rows, known, processes or {}, NameBook(), ProtocolBook()))
    return [fastavro.schemaless_reader(BytesIO(row), SCHEMA, None) for row in encoded]


def only(rows: np.ndarray, sockets: tuple = (), processes: dict | None = None) -> Row:
    [row] = assemble(rows, sockets, processes)
    return row


def test_every_field_of_the_schema_is_present() -> None:
    rows = np.concatenate(
        [
            report(CLIENT, SERVICE, BACKEND),
            report(("fd00::1", 1), ("fd00::2", 2), protocol=17),
            report(("10.0.0.1", 0), ("10.0.0.2", 0), protocol=1, icmp_type=8, icmp_id=77),
        ]
    )
    assert [set(row) for row in assemble(rows)] == [{field["name"] for field in SCHEMA["fields"]}] * 3


def test_nat_shows_what_was_dialled_and_what_answered() -> None:
    row = only(report(CLIENT, SERVICE, BACKEND, ("192.168.0.2", 7)))
    assert (row["original_destination_address"], row["original_destination_port"]) == SERVICE
    assert (row["reply_source_address"], row["reply_source_port"]) == BACKEND
    assert (row["reply_destination_address"], row["reply_destination_port"]) == ("192.168.0.2", 7)


def test_echo_requests_have_no_ports_and_others_no_echo_identifier() -> None:
    echo = only(report(("fd00::1", 5), ("fd00::2", 5), protocol=58, icmp_type=128, icmp_code=0, icmp_id=77))
    assert (echo["original_source_port"], echo["icmp_type"], echo["icmp_code"], echo["icmp_id"]) == (0, 128, 0, 77)
    tcp = only(report(CLIENT, SERVICE))
    assert (tcp["icmp_type"], tcp["icmp_code"], tcp["icmp_id"]) == (None, None, None)


def test_state_end_and_evidence_are_words() -> None:
    row = only(report(CLIENT, SERVICE, tcp_state=3, status=2, end_reason=2, evidence=1, ended_at_ns=5, is_final=True))
    assert (row["state"], row["seen_reply"], row["end_reason"], row["evidence"]) == (
        "established", True, "reset", "attempt",
    )  # fmt: skip
    assert (row["ended_at_ns"], row["is_final"]) == (5, True)
    living = only(report(CLIENT, SERVICE, protocol=17, tcp_state=3))
    assert (living["state"], living["ended_at_ns"], living["seen_reply"]) == ("", None, False)


def test_unknown_indices_give_an_empty_word_instead_of_a_crash() -> None:
    row = only(report(CLIENT, SERVICE, tcp_state=200, end_reason=200, evidence=200))
    assert (row["state"], row["end_reason"], row["evidence"]) == ("", "", "")


def test_absurd_counters_are_cut_to_what_avro_holds() -> None:
    row = only(report(CLIENT, SERVICE, original_bytes=2**64 - 1, attempts=2**32 - 1, begun=2**32 - 1))
    assert (row["original_bytes"], row["attempts"], row["begun"]) == (2**63 - 1, 2**31 - 1, 2**31 - 1)


def test_processes_of_both_ends_are_named() -> None:
    found = (socket(CLIENT, SERVICE, inode=1, cgroup_id=11), socket(BACKEND, CLIENT, inode=2, cgroup_id=12))
    row = only(
        report(CLIENT, SERVICE, BACKEND), found, {1: Program(5, "curl", "/bin/curl"), 2: Program(6, "nginx", "")}
    )
    assert (row["source_process_id"], row["source_process_name"], row["source_cgroup_id"]) == (5, "curl", 11)
    assert (row["destination_process_name"], row["destination_process_executable"]) == ("nginx", None)


def test_a_socket_whose_process_nobody_knows_still_gives_its_cgroup() -> None:
    row = only(report(CLIENT, SERVICE), (socket(CLIENT, SERVICE, inode=1, cgroup_id=11),), {1: None})
    assert (row["source_process_id"], row["source_process_name"], row["source_cgroup_id"]) == (None, None, 11)


def test_hostile_process_names_are_cut_and_encodable() -> None:
    program = Program(5, "\udcff" * 1000, "/tmp/" + "ä" * 5000)
    row = only(report(CLIENT, SERVICE), (socket(CLIENT, SERVICE, inode=1),), {1: program})
    assert row["source_process_name"] == "?" * 64
    assert len(row["source_process_executable"]) == 256


def test_tcp_figures_are_the_initiators_where_it_is_local() -> None:
    near = socket(CLIENT, SERVICE, has_figures=True, rtt_us=100, total_retransmits=2, delivery_rate=9)
    far = socket(BACKEND, CLIENT, has_figures=True, rtt_us=900, total_retransmits=7)
    row = only(report(CLIENT, SERVICE, BACKEND), (near, far))
    assert (row["tcp_rtt_us"], row["tcp_retransmits"], row["tcp_delivery_rate"]) == (100, 2, 9)
    row = only(report(CLIENT, SERVICE, BACKEND), (far,))
    assert (row["tcp_rtt_us"], row["tcp_retransmits"]) == (900, 7)
    row = only(report(CLIENT, SERVICE, BACKEND))
    assert (row["tcp_rtt_us"], row["tcp_retransmits"], row["tcp_lost"]) == (None, None, None)


def test_no_connections_give_no_rows() -> None:
    assert assemble(np.zeros(0, REPORT)) == []


def test_each_row_carries_its_key() -> None:
    rows = np.concatenate([report(CLIENT, SERVICE, BACKEND), report(CLIENT, BACKEND)])
    assert [row["flow_key"] for row in assemble(rows)] == flow_keys(rows).tolist()
