"""`conntrail report` on Elasticsearch: days become a chain, late data an amendment, the same data the same bytes."""

import csv
import io
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from conntrail.policy.history.period import Period
from conntrail.report.chain.plan import DAY_MS, day_of
from conntrail.report.command import app
from conntrail.report.fact.facts import Facts, Scope
from conntrail.report.reader import EvidenceIndex
from runtime.settings import Settings
from schemas.topic import CHANGES, DEAD_LETTER, KUBERNETES_AUDIT, NODES, POLICY_HITS, WINDOWS
from tests.integration.policy.written import Written, new_settings, set_environment, write_index
from tests.support.history import AT_MS, inside, seen_hit, seen_window
from tests.support.stack import RunningStack
from tests.support.waiting import until
from tests.unit.streams.index.builders import dead_letter, node_status
from tests.unit.streams.index.cluster_builders import audit_event, change

WEB, API, DB = inside("web"), inside("api"), inside("postgres", namespace="data")
TEST_SECONDS = 300
"""More than a test takes, on a crowded machine too."""


@dataclass(frozen=True, slots=True)
class Days:
    """Three final ones and yesterday, which is provisional, for a day is final a day later."""

    today_ms: int

    @property
    def oldest_ms(self) -> int:
        """Midnight at which the first one begins."""
        return self.today_ms - 4 * DAY_MS

    def dates(self) -> list[str]:
        return [str(day_of(self.oldest_ms + number * DAY_MS)) for number in range(4)]


def now_ms() -> int:
    return int(time.time() * 1000)


def seconds(at_ms: int) -> int:
    """As builders take a time."""
    return (at_ms - AT_MS) // 1000


def traffic(cluster: str, days: Days, day: int) -> Written:
    """Of one day; its first window begins at midnight, and its last ends at the next one."""
    midnight = days.oldest_ms + day * DAY_MS
    begin, end = seconds(midnight) + 60, seconds(midnight + DAY_MS)

    def window(name: str, *ends: Any, **facts: Any) -> Any:
        return (WINDOWS, seen_window(f"{name}-{day}", *ends, cluster=cluster, **facts))

    return [
        window("w1", WEB, API, 8080, started=3, at=begin),
        window("w2", WEB, API, 8080, started=2, at=end),
        window("w3", WEB, DB, 5432, started=4, action="denied", at=begin),
        window("w4", inside("batch", namespace="jobs"), API, 8080, at=begin),
        (WINDOWS, seen_window(f"x-{day}", WEB, API, 8080, cluster=f"{cluster}-other", started=99, at=begin)),
        (POLICY_HITS, seen_hit(f"h-{day}", "api", 0, cluster=cluster, at=begin)),
        *((NODES, interval(cluster, midnight + hour * 3_600_000)) for hour in range(24) if (day, hour) != (1, 5)),
        (CHANGES, change(cluster=cluster, id=f"c-{day}", kind="NetworkPolicy", action="changed", at_ns=ns(midnight))),
        (CHANGES, change(cluster=cluster, id=f"d-{day}", kind="Deployment", at_ns=ns(midnight))),
        (KUBERNETES_AUDIT, audit_event(cluster=cluster, audit_id=f"a-{day}", received_at_ns=ns(midnight))),
        (KUBERNETES_AUDIT, audit_event(cluster=cluster, audit_id=f"b-{day}", resource="pods", kind="Pod",
                                       received_at_ns=ns(midnight))),
        (DEAD_LETTER, dead_letter(day) | {"cluster": cluster, "observed_at_ns": ns(midnight)}),
    ]  # fmt: skip


def interval(cluster: str, start_ms: int) -> dict[str, Any]:
    """An hour of a node."""
    return node_status(
        cluster=cluster, interval_start_ns=ns(start_ms), interval_end_ns=ns(start_ms + 3_600_000),
        coverage="complete", lost={},
    )  # fmt: skip


def ns(at_ms: int) -> int:
    return at_ms * 1_000_000


@pytest.fixture
def days() -> Days:
    """Of a day that lasts until the test is over."""
    until(lambda: now_ms() % DAY_MS < DAY_MS - TEST_SECONDS * 1000, seconds=TEST_SECONDS + 60, pause_seconds=1)
    return Days(now_ms() // DAY_MS * DAY_MS)


@pytest.fixture
def settings(stack: RunningStack, topic_prefix: str, days: Days, monkeypatch: pytest.MonkeyPatch) -> Settings:
    made = new_settings(stack, topic_prefix)
    set_environment(monkeypatch, made)
    write_index(made, [item for day in range(4) for item in traffic(made.cluster, days, day)])
    return made


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), catch_exceptions=True)


def done(*arguments: str) -> Result:
    result = run(*arguments)
    assert result.exit_code == 0, f"{result.output}\n{result.exception!r}"
    return result


def document(root: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((root / name / "report.json").read_bytes())
    return found


def test_days_become_a_chain_that_goes_on_by_itself(settings: Settings, days: Days, tmp_path: Path) -> None:
    root, names = tmp_path / "evidence", days.dates()
    first = done("--directory", str(root), "--since", names[0], "--until", names[1])
    again = done("--directory", str(root))
    assert sorted(path.name for path in root.iterdir()) == names
    assert "provisional" in again.stderr
    assert first.stdout != again.stdout
    checked = done("verify", str(root), "--head", again.stdout.strip())
    assert "3 final entries, unbroken and as written; 1 provisional" in checked.stderr
    found = document(root, names[1])
    assert [(row["source"], row["connections"]) for row in found["traffic"]] == [("jobs/batch", 1), ("shop/web", 5)]
    assert [row["connections"] for row in found["denials"]] == [4]
    assert [row["policy"] for row in found["policies"]] == ["shop/api"]
    assert [(row["kind"], row["by"]) for row in found["changes"]] == [("networkpolicy", "jane")]
    assert [(row["user"], row["object"]) for row in found["requests"]] == [("jane", "shop/deny")]
    assert found["completeness"]["audit_events"] == 2
    assert found["completeness"]["dead_letters"] == 1
    assert [(row["from"], row["sight"]) for row in found["unseen"]] == [(f"{names[1]}T05:00:00.000Z", "silent")]
    assert document(root, names[0])["completeness"]["level"] == "complete"
    assert settings.cluster == found["scope"]["cluster"]


def test_the_same_data_make_the_same_bytes_and_late_data_an_amendment(
    settings: Settings, days: Days, tmp_path: Path
) -> None:
    names = days.dates()
    roots = [tmp_path / "one", tmp_path / "two"]
    for root in roots:
        done("--directory", str(root), "--since", names[0], "--until", names[3])
    files = [
        {path.relative_to(root): path.read_bytes() for path in root.rglob("*.*") if path.is_file()} for root in roots
    ]
    assert files[0] == files[1]
    unchanged = done("--directory", str(roots[0]), "--since", names[1], "--until", names[2])
    assert f"{names[1]}: unchanged" in unchanged.stderr

    late = seen_window("late", WEB, API, 9999, cluster=settings.cluster, at=seconds(days.oldest_ms + DAY_MS) + 600)
    write_index(settings, [(WINDOWS, late)])
    refused = run("--directory", str(roots[0]), "--since", names[1], "--until", names[2])
    assert refused.exit_code == 1
    assert "reads otherwise" in str(refused.exception)
    assert "traffic +1 -0 rows" in str(refused.exception)
    assert "--amend" in str(refused.exception)
    amended = done("--directory", str(roots[0]), "--since", names[1], "--until", names[2], "--amend")
    checked = done("verify", str(roots[0]), "-o", "jsonl", "--head", amended.stdout.strip())
    rows = {row["directory"]: row for row in map(json.loads, checked.stdout.splitlines())}
    assert "traffic +1 -0 rows" in rows[f"{names[1]}.1"]["changed"]
    assert rows[f"{names[1]}.1"]["state"] == "amendment"
    assert document(roots[0], names[1])["traffic"] != document(roots[0], f"{names[1]}.1")["traffic"]
    again = done("--directory", str(roots[0]), "--since", names[1], "--until", names[2])
    assert "unchanged" in again.stderr


def test_a_namespace_has_a_report_and_a_directory_of_its_own(settings: Settings, days: Days, tmp_path: Path) -> None:
    root, names = tmp_path / "evidence", days.dates()
    span = ("--since", names[0], "--until", names[1])
    done("--directory", str(root), *span, "-n", "jobs")
    assert [row["source"] for row in document(root, names[0])["traffic"]] == ["jobs/batch"]
    assert document(root, names[0])["policies"] == []
    mixed = run("--directory", str(root), *span)
    assert mixed.exit_code == 1
    assert f"holds reports of namespace jobs of cluster {settings.cluster}" in str(mixed.exception)
    nobody = done(*span, "-n", "jbos")
    assert "there was no traffic of namespace jbos" in nobody.stderr
    assert "shop" in nobody.stderr


def test_a_report_is_printed_in_every_form(settings: Settings, days: Days) -> None:
    names = days.dates()
    span = ("--since", names[0], "--until", names[3])
    table = done(*span)
    assert "Who talked to whom: 2" in table.stdout
    assert "18 allowed, 12 denied" in table.stdout
    whole = json.loads(done(*span, "-o", "json").stdout)
    assert whole["scope"] == {"cluster": settings.cluster, "namespace": ""}
    lines = [json.loads(line) for line in done(*span, "-o", "jsonl").stdout.splitlines()]
    assert {line["section"] for line in lines} >= {"traffic", "denials", "policies", "changes"}
    rows = list(csv.DictReader(io.StringIO(done(*span, "-o", "csv", "--section", "denials").stdout)))
    assert [(row["source"], row["connections"]) for row in rows] == [("shop/web", "12")]
    assert done(*span, "-o", "html").stdout.startswith("<!DOCTYPE html>")
    assert run(*span, "-o", "csv").exit_code == 2
    assert run(*span, "--section", "nothing").exit_code == 2


def test_pages_of_any_size_give_the_same_facts(settings: Settings, days: Days) -> None:
    def told(page: int) -> list[Any]:
        index = EvidenceIndex(settings, page)
        facts: Facts = index.read(Scope(settings.cluster), Period(days.oldest_ms, days.today_ms), days.today_ms)
        index.close()
        return [list(facts.traffic.rows()), facts.coverage.spans(), list(facts.changes.changes())]

    assert told(1) == told(3) == told(1000)


def test_an_index_that_is_not_there_is_nothing_and_one_that_does_not_answer_is_said(
    settings: Settings, days: Days, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONNTRAIL_ELASTICSEARCH__NAMESPACE", f"{settings.elasticsearch.namespace}.none")
    names = days.dates()
    found = json.loads(done("--since", names[0], "--until", names[1], "-o", "json").stdout)
    assert (found["completeness"]["level"], found["traffic"]) == ("unknown", [])
    monkeypatch.setenv("CONNTRAIL_ELASTICSEARCH__HOSTS", "http://127.0.0.1:9")
    away = run("--since", "1h")
    assert "does not answer" in str(away.exception)
    monkeypatch.setenv("CONNTRAIL_ELASTICSEARCH__HOSTS", "")
    assert "CONNTRAIL_ELASTICSEARCH__HOSTS is empty" in str(run("--since", "1h").exception)
