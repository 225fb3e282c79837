"""Attempts as they are read, entries that confirm them, and a table that takes both."""

import numpy as np

from agents.node.attempt.columns import ATTEMPT, DIALLED, TRANSLATED, Attempts
from agents.node.attempt.table import AttemptTable
from agents.node.report.columns import REPORT, Reports

SECOND = 10**9
PATIENCE = SECOND
START = 1_800_000_000 * SECOND
TCP, UDP = 6, 17


def row_of(port: int, at_ns: int = START, *, protocol: int = TCP, kind: int = DIALLED, packet: int = 0) -> Attempts:
    row = np.zeros(1, ATTEMPT)
    row["family"], row["protocol"], row["kind"] = 2, protocol, kind
    row["original_source_low"] = row["reply_destination_low"] = 0xFFFF_0A00_0001
    row["original_destination_low"] = row["reply_source_low"] = 0xFFFF_0A00_0002
    row["original_source_port"] = row["reply_destination_port"] = port
    row["original_destination_port"] = row["reply_source_port"] = 80
    row["packet"], row["ip_bytes"], row["seen_at_ns"] = packet, 60, at_ns
    return row


def translated_row_of(port: int, packet: int, backend_port: int = 8080) -> Attempts:
    row = row_of(port, kind=TRANSLATED, packet=packet)
    row["original_destination_low"] = row["original_destination_port"] = 0
    row["reply_source_low"], row["reply_source_port"] = 0xFFFF_0A00_0009, backend_port
    return row


def entry_of(port: int, protocol: int = TCP, zone: int = 0) -> Reports:
    entry = np.zeros(1, REPORT)
    row = row_of(port, protocol=protocol)
    for name in set(ATTEMPT.names or ()) & set(REPORT.names or ()):
        entry[name] = row[name] if name != "seen_at_ns" else 0
    entry["zone"] = zone
    return entry


def table_of(capacity: int = 100) -> AttemptTable:
    return AttemptTable(1, PATIENCE, capacity)
