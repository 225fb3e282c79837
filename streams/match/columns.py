"""The columns of matched rows: one row a connection and step."""

from typing import Final

import polars as pl

SOURCE_PROCESS: Final = ["source_process_id", "source_process_name", "source_process_executable"]
DESTINATION_PROCESS: Final = [
    "destination_process_id",
    "destination_process_name",
    "destination_process_executable",
]
FIGURES: Final = ["tcp_rtt_us", "tcp_rtt_var_us", "tcp_retransmits", "tcp_lost", "tcp_delivery_rate"]
NAMES: Final = ["destination_names"]
APPLICATION: Final = ["application_protocol"]
VIEWS: Final = (SOURCE_PROCESS, DESTINATION_PROCESS, FIGURES, NAMES, APPLICATION)
"""What belongs together in a report: taken from one reporter, never mixed."""
ROLES: Final = ["none", "source", "destination", "both"]
"""Places are bits: which ends a reporter has."""
COVERAGES: Final = ["complete", "lossy", "blind"]
"""Better first."""

MATCHED: Final = {
    "flow_id": pl.Int64(),
    "flow_key": pl.Int64(),
    "protocol": pl.Int32(),
    "zone": pl.Int32(),
    "source_address": pl.String(),
    "source_port": pl.Int32(),
    "destination_address": pl.String(),
    "destination_port": pl.Int32(),
    "nat_address": pl.String(),
    "nat_port": pl.Int32(),
    "dialled_address": pl.String(),
    "dialled_port": pl.Int32(),
    "icmp_type": pl.Int32(),
    "icmp_code": pl.Int32(),
    "source_index": pl.UInt32(),
    "destination_index": pl.UInt32(),
    "service_index": pl.UInt32(),
    "direction": pl.String(),
    "source_packets": pl.Int64(),
    "source_bytes": pl.Int64(),
    "destination_packets": pl.Int64(),
    "destination_bytes": pl.Int64(),
    "reporter": pl.String(),
    "observer": pl.String(),
    "observers": pl.List(pl.String),
    "coverage": pl.String(),
    "is_first": pl.Boolean(),
    "is_final": pl.Boolean(),
    "end_reason": pl.String(),
    "state": pl.String(),
    "seen_reply": pl.Boolean(),
    "is_attempt": pl.Boolean(),
    "attempts": pl.Int64(),
    "evidence": pl.List(pl.String),
    "started_at_ns": pl.Int64(),
    "seen_at_ns": pl.Int64(),
    "ended_at_ns": pl.Int64(),
    "interval_start_ns": pl.Int64(),
    "interval_end_ns": pl.Int64(),
    "source_process_id": pl.Int64(),
    "source_process_name": pl.String(),
    "source_process_executable": pl.String(),
    "destination_process_id": pl.Int64(),
    "destination_process_name": pl.String(),
    "destination_process_executable": pl.String(),
    "tcp_rtt_us": pl.Int64(),
    "tcp_rtt_var_us": pl.Int64(),
    "tcp_retransmits": pl.Int64(),
    "tcp_lost": pl.Int64(),
    "tcp_delivery_rate": pl.Int64(),
    "destination_names": pl.String(),
    "is_destination_unnamed": pl.Boolean(),
    "application_protocol": pl.String(),
    "is_orphan": pl.Boolean(),
}
"""``observer``: the node whose figures count; ``observers``: all that reported, sorted. ``destination_names``:
by which the initiator had looked up the address that it dialled, the latest first, a space between them.
``is_orphan``: only the far end reported although the near end's agent could see."""
