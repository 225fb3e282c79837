"""The agent on a node with real traffic, to a real Kafka: what it publishes is what the kernel counted."""

import itertools
import os
from pathlib import Path

import pytest

from tests.integration.publish import topics
from tests.kernel.agent.network import (
    CLIENT,
    PORT,
    SERVER,
    SERVICE,
    Network,
    is_root,
    run,
)
from tests.kernel.agent.process import INTERVAL_NS, AgentProcess, read
from tests.kernel.agent.scene import PARTITIONS, Scene, exchange
from tests.support.stack import RunningStack
from tests.support.waiting import until

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.stack,
    pytest.mark.skipif(not is_root(), reason="network namespaces need root"),
]


def test_every_byte_of_a_connection_is_reported_once_with_its_nat_and_processes(scene: Scene) -> None:
    scene.agent.start()
    with scene.network.listening() as listener:
        client = scene.network.dial()
        server, _ = listener.accept()
        with client, server:
            exchange(client, server, 40_000, 250_000)
            scene.until_published(80)
            exchange(client, server, 1_000, 30)
    assert scene.agent.stop() == 0, scene.agent.log()
    published = scene.published()
    assert published.total(80) == scene.network.counters()
    rows = published.between(80)
    for row in rows:
        assert (row["original_source_address"], row["original_destination_address"]) == (CLIENT, SERVICE)
        assert (row["reply_source_address"], row["reply_source_port"]) == (SERVER, PORT)
        assert row["evidence"] == "confirmed"
    assert len({row["connection_id"] for row in rows}) == 1
    assert [row["is_first"] for row in sorted(rows, key=lambda row: row["seen_at_ns"])].count(True) == 1
    name = Path("/proc/self/comm").read_text().strip()
    assert {row["source_process_name"] for row in rows} >= {name}
    assert {row["destination_process_name"] for row in rows} >= {name}


def test_short_connections_are_complete_from_the_first_interval_on(scene: Scene) -> None:
    scene.agent.start()
    dialled = 0
    with scene.network.listening() as listener:
        while len(scene.published().batches) < 3 * PARTITIONS:
            for _ in range(10):
                client = scene.network.dial()
                server, _ = listener.accept()
                with client, server:
                    exchange(client, server, 300, 3_000)
                dialled += 1
    assert scene.agent.stop() == 0, scene.agent.log()
    published = scene.published()
    assert len({row["connection_id"] for row in published.between(80)}) == dialled
    assert published.total(80) == scene.network.counters()
    assert not scene.told().batches


def test_intervals_are_aligned_numbered_without_a_hole_and_sent_to_every_partition(scene: Scene) -> None:
    scene.agent.start()
    until(lambda: len(scene.published().batches) >= 4 * PARTITIONS)
    assert scene.agent.stop() == 0, scene.agent.log()
    batches = list(scene.published().batches.values())
    sequences = sorted({batch.sequence for batch in batches})
    assert sequences == list(range(len(sequences)))
    for sequence in sequences:
        own = [batch for batch in batches if batch.sequence == sequence]
        assert {batch.partition for batch in own} == set(range(PARTITIONS))
        assert len({(batch.interval_start_ns, batch.interval_end_ns) for batch in own}) == 1
    spans = sorted({(batch.interval_start_ns, batch.interval_end_ns) for batch in batches})
    assert all(end == start for (_, end), (start, _) in itertools.pairwise(spans))
    assert all(end % INTERVAL_NS == 0 for _, end in spans[:-1])
    assert {batch.coverage for batch in batches} == {"complete"}


@pytest.mark.parametrize("signal_name", ["SIGTERM", "SIGKILL"])
def test_a_restart_neither_doubles_nor_loses_a_byte_of_what_lives_on(scene: Scene, signal_name: str) -> None:
    scene.agent.start()
    with scene.network.listening() as listener:
        client = scene.network.dial()
        server, _ = listener.accept()
        with client, server:
            for turn in range(4):
                exchange(client, server, 10_000 + turn, 100_000 + turn)
                scene.until_published(80, turn + 1)
                exchange(client, server, 777, 7)
                if signal_name == "SIGKILL":
                    scene.agent.kill()
                else:
                    assert scene.agent.stop() == 0, scene.agent.log()
                exchange(client, server, 333, 3)
                scene.agent.start()
    assert scene.agent.stop() == 0, scene.agent.log()
    published = scene.published()
    assert published.total(80) == scene.network.counters()
    assert len({row["connection_id"] for row in published.between(80)}) == 1
    assert len({boot for boot, *_ in published.batches}) == 1
    assert sum(row["is_first"] for row in published.between(80)) == 1
    restarted = [batch for batch in published.batches.values() if batch.lost.get("restarts")]
    assert {batch.coverage for batch in restarted} == {"lossy"}
    assert len({batch.sequence for batch in restarted}) == 4


def test_what_the_node_can_see_is_said_and_shown(scene: Scene) -> None:
    scene.agent.start()
    [record] = scene.agent.entries("what this node can see")[:1]
    for name in ("conntrack_dump", "conntrack_events", "accounting", "timestamps", "attempts", "sockets"):
        assert record[name] == {"state": "ok"}
    status, metrics = scene.agent.get("/metrics")
    assert status == 200
    assert 'conntrail_agent_capability{name="conntrack_events"} 1.0' in metrics
    assert scene.agent.get("/healthz")[0] == 200
    until(lambda: scene.agent.get("/readyz")[0] == 200)


@pytest.mark.parametrize(
    ("table", "topic", "cause"),
    [
        ("conntrail", "flows.raw", "attempt_rules_flushed"),
        ("conntrail_payload", "dns.raw", "dns_cut"),
        ("conntrail_payload", "l7.raw", "application_cut"),
    ],
)
def test_a_ruleset_flushed_by_others_is_put_back_and_the_interval_says_so(
    scene: Scene, table: str, topic: str, cause: str
) -> None:
    own = f"{scene.topic.removesuffix('flows.raw')}{topic}"
    scene.agent.start()
    until(lambda: len(scene.published().batches) >= PARTITIONS)
    run("ip", "netns", "exec", scene.network.node, "nft", "delete", "table", "inet", table)
    until(lambda: any(cause in batch.lost for batch in read(scene.kafka, own, PARTITIONS).batches.values()))
    assert f"inet {table}\n" in scene.network.tables()
    assert scene.agent.stop() == 0


def test_without_dns_and_applications_neither_rules_nor_topics_of_theirs_are_used(scene: Scene) -> None:
    scene.agent.start(CONNTRAIL_AGENT__DNS="false", CONNTRAIL_AGENT__APPLICATIONS="false")
    until(lambda: len(scene.published().batches) >= PARTITIONS)
    assert "conntrail_payload" not in scene.network.tables()
    assert scene.agent.stop() == 0
    for topic in ("dns.raw", "l7.raw"):
        assert not read(scene.kafka, f"{scene.topic.removesuffix('flows.raw')}{topic}", PARTITIONS).batches


def test_two_agents_cannot_share_a_state_directory(scene: Scene, tmp_path: Path) -> None:
    scene.agent.start()
    second = AgentProcess(scene.kafka, "", tmp_path, "unused.")
    second.start()
    assert second.wait() == 1
    assert "another agent uses it" in second.log()


def test_an_outage_of_kafka_loses_nothing_even_when_the_agent_is_killed_in_it(
    scene: Scene, stack: RunningStack
) -> None:
    scene.agent.start()
    with scene.network.listening() as listener:
        client = scene.network.dial()
        server, _ = listener.accept()
        with client, server:
            exchange(client, server, 5_000, 50_000)
            scene.until_published(80)
            stack.stop("kafka")
            try:
                for turn in range(3):
                    exchange(client, server, 2_000 + turn, 20_000)
                    closed = len(scene.agent.intervals_kept())
                    until(lambda closed=closed: len(scene.agent.intervals_kept()) > closed)
                scene.agent.kill()
                assert len(scene.agent.intervals_kept()) >= 3
                scene.agent.start()
            finally:
                stack.start("kafka")
            until(lambda: not scene.agent.intervals_kept())
    assert scene.agent.stop() == 0, scene.agent.log()
    published = scene.published()
    assert published.total(80) == scene.network.counters()
    for partition in range(PARTITIONS):
        sequences = [sequence for own, sequence in published.order if own == partition]
        assert sorted(set(sequences)) == list(range(max(sequences) + 1))
        first_seen = list(dict.fromkeys(sequences))
        assert first_seen == sorted(first_seen)


def test_a_missing_topic_is_one_clear_line_and_what_waited_is_sent_when_it_is_there(kafka: str, tmp_path: Path) -> None:
    prefix = topics.new_name()
    agent = AgentProcess(kafka, "", tmp_path, f"{prefix}.")
    network = Network(f"ctagent{os.getpid()}")
    network.remove()
    network.build()
    try:
        agent.start(CONNTRAIL_AGENT__NETNS=network.path(network.node))
        line = f"topic {prefix}.flows.raw does not exist: run `conntrail setup`"
        until(lambda: bool(agent.entries(line)))
        status, text = agent.get("/readyz")
        assert (status, line in text) == (503, True)
        assert agent.get("/healthz")[0] == 200
        for name in ("flows.raw", "dns.raw", "l7.raw", "denials.raw"):
            topics.create(kafka, f"{prefix}.{name}", 2)
        until(lambda: len(read(kafka, f"{prefix}.flows.raw", 2).batches) >= 4)
        assert len(agent.entries(line)) == 1
        assert agent.stop() == 0
        batches = read(kafka, f"{prefix}.flows.raw", 2).batches.values()
        assert min(batch.sequence for batch in batches) == 0
        assert {batch.partitions for batch in batches} == {2}
    finally:
        agent.kill()
        network.remove()
