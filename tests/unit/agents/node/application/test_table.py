"""Packets become exchanges, and exchanges the rows of an interval."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.node.application.options import ApplicationOptions
from agents.node.application.recognised import Recognised
from agents.node.application.table import ApplicationTable
from agents.node.payload.packet import End
from agents.node.report.columns import REPORT
from agents.node.report.key import flow_keys
from tests.support.application import (
    CLIENT,
    DIALLED,
    MAPPED,
    SECOND,
    SERVER,
    report,
    request,
    response,
    told,
)

MS = 1_000_000


def test_a_request_and_its_response_are_an_exchange(table: ApplicationTable) -> None:
    headers = {"Host": "shop", "User-Agent": "curl/8", "X-Request-ID": "r-1", "traceparent": "00-1-2-01"}
    recognised = table.note([request("/users/42?q=secret", headers=headers), response(404, SECOND + 7 * MS)])
    assert recognised == [Recognised(CLIENT, DIALLED, 6, "http")]
    [row] = report(table)
    key = row.pop("flow_key")
    assert key
    assert row == {
        "client_address": "10.0.0.1",
        "client_port": 40000,
        "server_address": "10.0.1.2",
        "server_port": 8080,
        "dialled_address": "10.96.0.1",
        "dialled_port": 80,
        "protocol": "http",
        "method": "GET",
        "host": "shop",
        "path": "/users/{id}",
        "status": 404,
        "tls_version": "",
        "tls_alpn": [],
        "tls_ja4": "",
        "user_agent": "curl/8",
        "count": 1,
        "latency_us": [7000],
        "timed": 1,
        "latency_sum_us": 7000,
        "latency_max_us": 7000,
        "first_seen_at_ns": SECOND,
        "last_seen_at_ns": SECOND + 7 * MS,
        "request_id": "r-1",
        "trace_parent": "00-1-2-01",
        "http_version": "1.1",
    }
    assert report(table) == []


def test_the_flow_key_is_that_of_the_connections_report(table: ApplicationTable) -> None:
    answered = End(0, MAPPED | 0x0A000909, 61000)
    table.note([request(zone=7, answered=answered), response(zone=7, answered=answered)])
    reports = np.zeros(1, REPORT)
    reports["protocol"], reports["zone"] = 6, 7
    for name, end in (("reply_source", SERVER), ("reply_destination", answered)):
        reports[f"{name}_high"], reports[f"{name}_low"], reports[f"{name}_port"] = end
    assert told(report(table), "flow_key") == [(int(flow_keys(reports)[0]),)]


def test_both_families_are_told(table: ApplicationTable) -> None:
    client, server = End(0xFD00 << 48, 1, 40000), End(0xFD00 << 48, 2, 80)
    ends = {"client": client, "dialled": server, "server": server}
    table.note([request(**ends), response(answered=client, **ends)])
    assert told(report(table), "client_address", "server_address", "dialled_address") == [
        ("fd00::1", "fd00::2", "fd00::2")
    ]


def test_an_answer_whose_request_came_before_the_agent_is_told_without_it(table: ApplicationTable) -> None:
    table.note([response(500)])
    assert told(report(table), "method", "path", "status", "count", "timed") == [("", "", 500, 1, 0)]


def test_a_request_without_answer_is_told_after_half_a_minute(table: ApplicationTable) -> None:
    table.note([request("/slow")])
    assert report(table, 31 * SECOND - 1) == []
    assert told(report(table, 31 * SECOND), "path", "status", "count", "timed") == [("/slow", 0, 1, 0)]
    table.note([response(200, 40 * SECOND)])
    assert report(table, 41 * SECOND) == [], "one exchange is told once"


def test_a_flush_tells_all_that_waits(table: ApplicationTable) -> None:
    table.note([request("/a")])
    assert told(report(table, flush=True), "path", "status") == [("/a", 0)]
    assert len(table) == 0


@pytest.mark.parametrize("side", ["request", "response"])
def test_without_the_kernels_time_there_is_no_latency(table: ApplicationTable, side: str) -> None:
    table.note(
        [request(has_exact_time=side != "request"), response(at_ns=SECOND // 2, has_exact_time=side != "response")]
    )
    assert told(report(table), "status", "count", "timed", "latency_us") == [(200, 1, 0, [])]


def test_alike_exchanges_are_summed_and_the_slowest_is_named(table: ApplicationTable) -> None:
    for turn, latency_ms in enumerate((5, 80, 20)):
        client = End(CLIENT.high, CLIENT.low, 40000 + turn)
        at_ns = (turn + 1) * SECOND
        headers = {"Host": "shop", "X-Request-ID": f"r-{turn}", "User-Agent": f"ua-{turn}"}
        table.note(
            [
                request(f"/users/{turn}", at_ns, client=client, headers=headers),
                response(200, at_ns + latency_ms * MS, client=client),
            ]
        )
    [row] = report(table, 10 * SECOND)
    assert (row["count"], row["timed"], row["latency_us"]) == (3, 3, [5000, 80000, 20000])
    assert (row["latency_sum_us"], row["latency_max_us"], row["request_id"]) == (105_000, 80_000, "r-1")
    assert (row["user_agent"], row["client_port"]) == ("ua-2", 40002)
    assert (row["first_seen_at_ns"], row["last_seen_at_ns"]) == (SECOND, 3 * SECOND + 20 * MS)


@given(st.integers(1, 1000))
def test_the_sample_of_latencies_is_even(count: int) -> None:
    table = ApplicationTable(ApplicationOptions())
    for turn in range(count):
        at_ns = (turn + 1) * SECOND
        table.note([request("/", at_ns, 1000 + 100 * turn), response(200, at_ns + turn * 1000, 5000 + 100 * turn)])
    [row] = report(table, (count + 1) * SECOND)
    sample = row["latency_us"]
    assert row["timed"] == count
    assert len(sample) == count if count <= 64 else 32 <= len(sample) <= 64
    assert len({late - early for early, late in pairwise(sample)}) <= 1
