import pytest

from streams.exchange.cut import APPLICATION_LOSSES, DNS_LOSSES, cut_of
from streams.exchange.latency import latency_record
from streams.exchange.record import Origin
from tests.support.parts import batch


def test_latencies_are_those_of_all_that_were_timed_and_quantiles_of_the_sample() -> None:
    row = {"latency_us": [5, 1, 3], "timed": 4, "latency_sum_us": 26, "latency_max_us": 17}
    assert latency_record(row) == {"mean_us": 6, "p50_us": 3, "p95_us": 5, "max_us": 17}


@pytest.mark.parametrize(("count", "median", "high"), [(1, 1, 1), (2, 1, 2), (20, 10, 19), (64, 32, 61)])
def test_quantiles_are_latencies_that_were_measured(count: int, median: int, high: int) -> None:
    row = {"latency_us": list(range(1, count + 1)), "timed": 0, "latency_sum_us": 0, "latency_max_us": 0}
    assert latency_record(row) == {"mean_us": None, "p50_us": median, "p95_us": high, "max_us": None}


def test_nothing_timed_is_no_figure() -> None:
    row = {"latency_us": [], "timed": 0, "latency_sum_us": 0, "latency_max_us": 0}
    assert set(latency_record(row).values()) == {None}


def test_what_was_not_shown_is_told_once_an_interval_with_its_causes() -> None:
    lost = {"dns_cut": 40, "dns_malformed": 2, "application_cut": 7, "restarts": 1, "dns_lost": 0}
    cut = cut_of(batch(lost=lost), DNS_LOSSES)
    assert cut is not None
    assert (cut.count, cut.reason) == (42, "40 over the node's rate limit; 2 not understood")
    other = cut_of(batch(lost=lost), APPLICATION_LOSSES)
    assert other is not None
    assert other.count == 7
    assert cut_of(batch(lost={"restarts": 3}), DNS_LOSSES) is None
    assert cut_of(batch(lost=lost, partition=1, partitions=2), DNS_LOSSES) is None
    assert cut_of(batch(lost=lost, part=1, parts=2), DNS_LOSSES) is None


def test_absurd_losses_still_fit_a_record() -> None:
    cut = cut_of(batch(lost=dict.fromkeys(DNS_LOSSES, 2**63 - 1)), DNS_LOSSES)
    assert cut is not None
    assert cut.count < 2**63


def test_a_row_is_known_by_its_place_for_ever() -> None:
    ids = {
        Origin("test", batch(**facts)).id_of(row)
        for facts in ({}, {"node": "node2"}, {"boot": "b"}, {"sequence": 1}, {"partition": 1}, {"part": 1})
        for row in (0, 1, "cut")
    }
    assert len(ids) == 18
    assert Origin("test", batch(coverage="lossy", end=11)).id_of(0) in ids
