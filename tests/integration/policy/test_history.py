"""Elasticsearch and Kafka give the same history of the same traffic, and say what they left out."""

import pytest

from conntrail.errors import CommandError
from conntrail.policy.history.period import Period
from conntrail.policy.history.reader import HistoryIndex, HistoryTopics, read_history
from conntrail.policy.history.seen import History
from runtime.settings import ElasticsearchSettings, Settings
from schemas.topic import FLOWS, POLICY_HITS, WINDOWS
from tests.integration.policy.written import Written, new_settings, write
from tests.support.history import AT_MS, inside, node, seen_flow, seen_hit, seen_window
from tests.support.stack import RunningStack

PERIOD = Period(AT_MS - 3_600_000, AT_MS + 3_600_000)
WEB, API = inside("web"), inside("api")
CANARY = {"app": "web", "track": "canary", "app.kubernetes.io/name": "web", "a.b": "1", "a.b.c": "2"}


@pytest.fixture
def settings(stack: RunningStack, topic_prefix: str) -> Settings:
    return new_settings(stack, topic_prefix)


def both(settings: Settings) -> tuple[History, History]:
    return HistoryIndex(settings).read(PERIOD), HistoryTopics(settings).read(PERIOD)


def traffic(cluster: str) -> Written:
    web1, web2 = inside("web", "web-1"), inside("web", "web-2", labels=CANARY)
    return [
        (WINDOWS, seen_window("w1", WEB, API, 8080, cluster=cluster, started=3, active=4)),
        (WINDOWS, seen_window("w2", WEB, API, 8080, cluster=cluster, started=2, active=4, at=60)),
        (WINDOWS, seen_window("w3", WEB, API, 9090, cluster=cluster, action="denied")),
        (WINDOWS, seen_window("w4", WEB, "203.0.113.9", 443, cluster=cluster)),
        (WINDOWS, seen_window("w5", "fd00::9", WEB, 443, cluster=cluster)),
        (WINDOWS, seen_window("w6", node("node1"), WEB, 8080, cluster=cluster)),
        (WINDOWS, seen_window("w7", "", API, 0, cluster=cluster, coverage="lossy")),
        (WINDOWS, seen_window("x1", WEB, API, 1, cluster=f"{cluster}-other")),
        (WINDOWS, seen_window("x2", WEB, API, 2, cluster=cluster, at=7200)),
        (FLOWS, seen_flow("f1", (web1, "10.0.0.1"), (inside("api", "api-1"), "10.0.0.3"), 8080, cluster=cluster)),
        (FLOWS, seen_flow("f2", (web2, "10.0.0.2"), (inside("api", "api-1"), "10.0.0.3"), 8080, cluster=cluster)),
        (FLOWS, seen_flow("f3", (web1, "fd00::1"), ("203.0.113.9", "203.0.113.9"), 443, cluster=cluster,
                          domain="pay.example", at=30)),
        (FLOWS, seen_flow("f4", (node("node1"), "192.0.2.1"), (web1, "10.0.0.1"), 8080, cluster=cluster)),
        (POLICY_HITS, seen_hit("h1", "web", 0, cluster=cluster)),
        (POLICY_HITS, seen_hit("h2", "web", 0, cluster=cluster, at=60)),
        (POLICY_HITS, seen_hit("h3", "web", -1, cluster=cluster)),
    ]  # fmt: skip


def test_both_sources_tell_the_same(settings: Settings) -> None:
    write(settings, traffic(settings.cluster))
    index, topics = both(settings)
    assert index.seen == topics.seen
    assert index.pods == topics.pods
    assert index.hits == topics.hits
    assert index.notes == topics.notes == ("INCOMPLETE: of 7 windows 1 lossy: nodes did not see everything",)
    assert (index.origin, topics.origin) == ("elasticsearch", "kafka")


def test_windows_of_one_pair_add_up_and_know_their_pods_and_domains(settings: Settings) -> None:
    write(settings, traffic(settings.cluster))
    history = HistoryIndex(settings).read(PERIOD)
    records = {(str(seen.key.source), str(seen.key.destination), seen.key.port): seen for seen in history.seen}
    assert len(records) == len(history.seen) == 6
    pair = records["shop/web", "shop/api", 8080]
    assert (pair.connections, pair.flows, pair.bytes) == (5, 8, 400)
    assert (pair.first_seen_ms, pair.last_seen_ms) == (AT_MS - 10_000, AT_MS + 60_000)
    assert pair.source_pods == ("shop/web-1", "shop/web-2")
    assert records["shop/web", "203.0.113.9", 443].domains == ("pay.example",)
    assert records["shop/web", "shop/api", 9090].key.action == "denied"
    assert records["unknown", "shop/api", 0].key.source.kind == "unknown"
    assert records["node/node1", "shop/web", 8080].destination_pods == ("shop/web-1",)
    assert history.pods["shop/web-2"].labels == CANARY
    assert history.pods["shop/web-1"].addresses == ("10.0.0.1", "fd00::1")
    assert [(hit.key.rule, hit.connections) for hit in history.hits] == [(-1, 2), (0, 4)]


def test_a_higher_revision_counts_alone_and_what_it_replaces_is_gone(settings: Settings) -> None:
    cluster = settings.cluster
    write(
        settings,
        [
            (WINDOWS, seen_window("kept", WEB, API, 80, cluster=cluster, started=1)),
            (WINDOWS, seen_window("gone", WEB, API, 81, cluster=cluster)),
            (WINDOWS, seen_window("kept", WEB, API, 80, cluster=cluster, started=7, revision=2, replaces=True)),
        ],
    )
    index, topics = both(settings)
    assert index.seen == topics.seen
    assert [(seen.key.port, seen.connections) for seen in index.seen] == [(80, 7)]


def test_what_is_cut_is_said(settings: Settings) -> None:
    write(settings, [(WINDOWS, seen_window(f"w{n}", WEB, API, n + 1, cluster=settings.cluster)) for n in range(1001)])
    cut = HistoryIndex(settings, maximum_buckets=1000).read(PERIOD)
    assert (len(cut.seen), cut.notes) == (1000, ("INCOMPLETE: only 1000 groups of windows: ask for less time",))
    assert len(HistoryIndex(settings).read(PERIOD).seen) == 1001
    short = HistoryTopics(settings, maximum_records=5).read(PERIOD)
    assert (len(short.seen), short.notes) == (5, ("INCOMPLETE: only 5 records of windows: ask for less time",))


def test_another_cluster_s_name_is_told(settings: Settings) -> None:
    write(settings, [(WINDOWS, seen_window("w", WEB, API, 1, cluster="elsewhere"))])
    index, topics = both(settings)
    expected = f"nothing of cluster {settings.cluster!r} is there, but of elsewhere: set CONNTRAIL_CLUSTER"
    assert not index.seen
    assert not topics.seen
    assert expected in index.notes
    assert expected in topics.notes


def test_without_elasticsearch_kafka_answers_and_it_is_said(settings: Settings) -> None:
    write(settings, traffic(settings.cluster))
    away = ElasticsearchSettings(hosts="http://127.0.0.1:9")
    said: list[str] = []
    moved = Settings(cluster=settings.cluster, kafka=settings.kafka, elasticsearch=away)
    assert read_history(moved, PERIOD, "auto", said.append).origin == "kafka"
    [line] = said
    assert "does not answer" in line
    assert line.endswith("reading what Kafka still keeps")
    with pytest.raises(CommandError, match=r"Elasticsearch at http://127\.0\.0\.1:9"):
        read_history(moved, PERIOD, "elasticsearch", said.append)
