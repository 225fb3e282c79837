"""Reports of connections for tests, as enrichment gives them. Node number N has the endpoint index N."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import Any

import polars as pl

from streams.enrich.enrich import ENRICHED
from streams.match.match import match
from tests.support.parts import NO_FLOWS, SECOND, raw_flow

NODES = ("node0", "node1", "node2", "node3")
NODE_NAMES = pl.Series("node_name", NODES)
SCHEMA = {**NO_FLOWS.schema, **ENRICHED}
Report = dict[str, Any]
Row = dict[str, Any]


def report(node: int, role: str, **facts: Any) -> Report:
    """What a node says of a connection from a pod of node1 to one of node2, five seconds after it began."""
    ends = {
        "source_address": "10.0.1.7", "source_port": 4000, "destination_address": "10.0.2.8", "destination_port": 80,
        "nat_address": None, "nat_port": None, "dialled_address": None, "dialled_port": None,
    }  # fmt: skip
    ends |= {name: facts.pop(name) for name in list(facts) if name in ends}
    wire = (ends["nat_address"] or ends["source_address"], ends["nat_port"] or ends["source_port"])
    values = {
        **raw_flow(
            flow_key=7, connection_id=100 + node, protocol=6, evidence="confirmed", end_reason="active",
            original_source_address=ends["source_address"], original_source_port=ends["source_port"],
            original_destination_address=ends["dialled_address"] or ends["destination_address"],
            original_destination_port=ends["dialled_port"] or ends["destination_port"],
            reply_source_address=ends["destination_address"], reply_source_port=ends["destination_port"],
            reply_destination_address=wire[0], reply_destination_port=wire[1],
            started_at_ns=SECOND, seen_at_ns=5 * SECOND, seen_reply=True,
            original_packets=3, original_bytes=300, reply_packets=2, reply_bytes=200,
        ),
        **ends, "node": NODES[node], "boot": "boot", "sequence": 0, "interval_start_ns": 0,
        "interval_end_ns": 10 * SECOND, "coverage": "complete", "source_index": 1, "destination_index": 2,
        "service_index": None, "direction": "internal", "role": role,
    }  # fmt: skip
    unknown = set(facts) - set(values)
    assert not unknown, f"no column: {unknown}"
    return {**values, **facts}


def near(**facts: Any) -> Report:
    return report(1, "source", **facts)


def far(**facts: Any) -> Report:
    return report(2, "destination", **facts)


def frame(reports: Iterable[Report]) -> pl.DataFrame:
    return pl.DataFrame(list(reports), schema=SCHEMA)


def matched(*reports: Report, reporting: AbstractSet[str] = frozenset(NODES)) -> list[Row]:
    return match(frame(reports), reporting, NODE_NAMES).to_dicts()
