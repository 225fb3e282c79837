"""Every denied or refused connection of the lab's programs is told by the fast lane, and nothing else is."""

from collections import defaultdict
from typing import Any

import pytest
from confluent_kafka import Consumer, TopicPartition

from schemas.schema import read_schema
from schemas.single_object import SingleObjectCodec
from schemas.topic import DENIALS, FLOWS_RAW
from tests.kernel.agent.process import read
from tests.support.observed import PARTITIONS, Document, Observed, dump, is_root

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(not is_root(), reason="network namespaces need root"),
    pytest.mark.timeout(400),
]
MARGIN_NS = 10**9
TRANSPORTS = {"icmp": ("icmp", "ipv6-icmp"), "tcp": ("tcp",), "udp": ("udp",), "ipv6-icmp": ("ipv6-icmp",)}
ACTIONS = {"denied": "denied", "refused": "failed"}
Record = dict[str, Any]


@pytest.fixture(scope="module")
def told(run: Observed) -> list[Record]:
    """All records of the topic."""
    codec = SingleObjectCodec(read_schema(DENIALS.schema))
    name = DENIALS.full_name(run.settings.kafka.topic_prefix)
    consumer = Consumer({"bootstrap.servers": run.settings.kafka.bootstrap_servers, "group.id": "none",
                         "enable.partition.eof": True})  # fmt: skip
    consumer.assign([TopicPartition(name, partition, 0) for partition in range(PARTITIONS)])
    records, ended = [], 0
    while ended < PARTITIONS:
        message = consumer.poll(20)
        assert message is not None, "neither a message nor the end came"
        if message.error() is not None:
            ended += 1
        else:
            records.append(dict(codec.decode(message.value() or b"")))
    consumer.close()
    return records


@pytest.fixture(scope="module")
def addresses(run: Observed) -> dict[str, list[str]]:
    """Of each pod, by namespace and name."""
    return {f"{pod['namespace']}/{pod['name']}": pod["addresses"] for pod in run.lab.status()["pods"]}


def leads_to(record: Record, fact: Document, addresses: dict[str, list[str]]) -> bool:
    """The node of the destination does not know which Service was dialled: the client's node translated it."""
    service, there = record["destination"]["service"], record["destination"]
    if service is None and fact["service"]:
        return any(there["ip"] in addresses[server] for server in fact["servers"])
    end = service or there
    return (end["ip"], end["port"]) == (fact["dialled_address"], fact["dialled_port"])


def tells_of(record: Record, fact: Document, addresses: dict[str, list[str]]) -> bool:
    """By the ends and the time; a record is about all ports of the client."""
    return (
        record["network"]["transport"] in TRANSPORTS[fact["protocol"]]
        and record["source"]["ip"] == fact["source_address"]
        and leads_to(record, fact, addresses)
        and record["event"]["start_ns"] <= fact["ended_at_ns"] + MARGIN_NS
        and record["event"]["end_ns"] >= fact["started_at_ns"] - MARGIN_NS
    )


def of_truth(run: Observed) -> dict[str, list[Document]]:
    """Connections that did not come to be, by source address."""
    found: dict[str, list[Document]] = defaultdict(list)
    for fact in run.truth():
        if fact["expected"] in ACTIONS:
            found[fact["source_address"]].append(fact)
    return found


def test_every_connection_that_was_denied_or_refused_is_told_with_its_policy(
    run: Observed, told: list[Record], addresses: dict[str, list[str]]
) -> None:
    facts = [fact for facts in of_truth(run).values() for fact in facts]
    assert {fact["expected"] for fact in facts} == set(ACTIONS)
    faults = []
    for fact in facts:
        own = [record for record in told if tells_of(record, fact, addresses)]
        actions = {record["event"]["action"] for record in own}
        policies = [name for record in own for name in record["policy"]["denied_by"]]
        is_named = any(f":{fact['policy']}:" in name for name in policies) == (fact["expected"] == "denied")
        if actions != {ACTIONS[fact["expected"]]} or not is_named:
            faults.append({"actions": sorted(actions), "policies": policies, **fact})
    assert not faults, f"{len(faults)} of {len(facts)}: {dump(faults)}"


def test_nothing_that_was_let_through_is_told(
    run: Observed, told: list[Record], addresses: dict[str, list[str]]
) -> None:
    facts = of_truth(run)
    faults = [
        record
        for record in told
        if not any(tells_of(record, fact, addresses) for fact in facts[record["source"]["ip"]])
    ]
    assert not faults, f"{len(faults)} of {len(told)}: {dump(faults)}"


def test_each_is_told_once_by_one_node_and_contradicts_no_policy(told: list[Record]) -> None:
    assert len({record["id"] for record in told}) == len(told)
    assert not [record for record in told if record["policy"]["drift"]]


def test_the_client_is_named_and_a_default_deny_has_its_nearest_miss(run: Observed, told: list[Record]) -> None:
    clients = {fact["source_address"]: fact["client"] for fact in run.truth()}
    for record in told:
        client = clients[record["source"]["ip"]]
        named = record["source"]["kubernetes"]
        assert (named["namespace"], named["pod"]["uid"]) == (client["namespace"], client["uid"]), dump([record])
        is_default = any(":rule=-1:deny" in name for name in record["policy"]["denied_by"])
        assert (record["nearest_miss"] is not None) == is_default, dump([record])


def test_first_packets_told_are_those_that_the_intervals_count(run: Observed, told: list[Record]) -> None:
    kafka = run.settings.kafka
    intervals = read(kafka.bootstrap_servers, FLOWS_RAW.full_name(kafka.topic_prefix), PARTITIONS)
    attempts = [record for record in told if {"attempt", "reject"} & set(record["evidence"])]
    assert sum(record["count"] for record in attempts) == sum(row["attempts"] for row in intervals.rows)
