"""One row a client, destination and evidence; a scan hides nobody."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from agents.node.denial.aggregate import fold
from agents.node.report.columns import EVIDENCES, REPORT, Reports
from agents.node.report.key import flow_keys

_V4, _V6 = 2, 10
_START = 1_800_000_000 * 10**9
_SEED = 7


def _denied(client: int, port: int, source_port: int = 40000, *, family: int = _V4, **facts: int) -> Reports:
    row = np.zeros(1, REPORT)
    row["family"], row["protocol"], row["evidence"] = family, 6, EVIDENCES.index("attempt")
    high = 0 if family == _V4 else 0xFD00 << 48
    for end in ("original_source", "reply_destination"):
        row[f"{end}_high"], row[f"{end}_low"], row[f"{end}_port"] = high, client, source_port
    for end in ("original_destination", "reply_source"):
        row[f"{end}_high"], row[f"{end}_low"], row[f"{end}_port"] = high, 99, port
    row["attempts"] = row["begun"] = row["original_packets"] = 1
    row["started_at_ns"] = row["seen_at_ns"] = _START
    for name, value in facts.items():
        row[name] = value
    return row


def test_tries_from_many_ports_are_one_row_with_their_count_and_span() -> None:
    for family in (_V4, _V6):
        tries = [
            _denied(
                1, 80, 40000 + number, family=family, started_at_ns=_START + number, seen_at_ns=_START + 10 * number
            )
            for number in range(5)
        ]
        [row] = fold(np.concatenate(tries), _SEED).rows
        assert (row["attempts"], row["begun"], row["original_packets"]) == (5, 5, 5)
        assert (row["started_at_ns"], row["seen_at_ns"]) == (_START, _START + 40)
        assert (row["original_source_port"], row["reply_destination_port"], row["original_destination_port"]) == (
            0,
            0,
            80,
        )


def test_destinations_ports_and_evidence_stay_apart() -> None:
    rejected = EVIDENCES.index("reject")
    parts = [_denied(1, 80), _denied(1, 81), _denied(2, 80), _denied(1, 80, evidence=rejected)]
    assert len(fold(np.concatenate(parts), _SEED).rows) == 4


def test_both_nodes_give_a_denial_the_same_flow_key_whatever_their_seeds() -> None:
    near = fold(np.concatenate([_denied(1, 80, 40000), _denied(1, 80, 40001)]), 1).rows
    far = fold(_denied(1, 80, 40001), 2).rows
    assert flow_keys(near).tolist() == flow_keys(far).tolist()


def test_a_scan_is_bounded_counted_and_hides_no_other_client() -> None:
    scan = np.concatenate([_denied(1, port) for port in range(1, 1001)])
    others = np.concatenate([_denied(client, 80) for client in range(2, 12)])
    told = fold(np.concatenate([scan, others]), _SEED, most=50)
    assert len(told.rows) == 50
    assert set(range(2, 12)) <= set(told.rows["original_source_low"].tolist())
    assert told.cut == 1010 - 50


def test_nothing_denied_is_nothing() -> None:
    told = fold(np.zeros(0, REPORT), _SEED)
    assert (len(told.rows), told.cut) == (0, 0)


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 4), st.integers(1, 9)), max_size=60), st.integers(1, 30))
def test_every_try_is_told_or_counted_as_cut(tries: list[tuple[int, int, int]], most: int) -> None:
    parts = [_denied(client, port, attempts=attempts) for client, port, attempts in tries]
    told = fold(np.concatenate(parts) if parts else np.zeros(0, REPORT), _SEED, most)
    assert int(told.rows["attempts"].sum()) + told.cut == sum(attempts for _, _, attempts in tries)
    assert len(told.rows) <= most
