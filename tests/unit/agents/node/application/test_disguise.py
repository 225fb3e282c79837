"""What of an exchange's texts leaves the node."""

import re
from dataclasses import replace

from agents.node.application.options import ApplicationOptions, Treatment
from agents.node.application.table import ApplicationTable
from tests.support.application import (
    report,
    request,
    told,
)


def test_a_query_is_kept_when_asked_for() -> None:
    table = ApplicationTable(ApplicationOptions(keep_query=True))
    table.note([request("/a/1?b=2")])
    assert told(report(table, flush=True), "path") == [("/a/{id}?b=2",)]


def test_what_is_secret_is_hashed_or_dropped() -> None:
    options = ApplicationOptions(
        paths=Treatment.HASH,
        hosts=Treatment.HASH,
        user_agents=Treatment.DROP,
        request_ids=Treatment.DROP,
        hash_key=b"k" * 100,
    )
    headers = {"Host": "shop", "User-Agent": "curl", "X-Request-ID": "r"}

    def row_of(with_options: ApplicationOptions) -> tuple[str, ...]:
        table = ApplicationTable(with_options)
        table.note([request("/users/1", headers=headers)])
        [row] = told(report(table, flush=True), "path", "host", "user_agent", "request_id")
        return row

    row = row_of(options)
    assert all(re.fullmatch(r"[0-9a-f]{16}", text) for text in row[:2])
    assert row[2:] == ("", "")
    assert row_of(options) == row
    assert row_of(replace(options, hash_key=b"another"))[0] != row[0]
