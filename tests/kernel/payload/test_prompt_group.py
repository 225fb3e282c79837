"""Somebody else has the log group of the answers that are timed by reading: they are seen all the same, and told so."""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import dns.message
import dns.rrset
import numpy as np
import pytest

from agents.node.interval.loss import Losses
from agents.node.namespace.reader import entered
from agents.node.payload.reader import PayloadReader
from agents.node.payload.translation_book import TranslationBook
from agents.node.report.name_book import NameBook
from agents.node.report.protocol_book import ProtocolBook
from agents.node.watch.payload.main import build_payload_watch
from agents.node.watch.payload.processor import Books, PayloadLosses, PayloadWatch
from agents.publish.column import LongColumn, TextColumn
from runtime.settings import AgentSettings
from tests.kernel.attempt import network as net
from tests.kernel.attempt.network import Network, is_root, standing

pytestmark = [pytest.mark.kernel, pytest.mark.skipif(not is_root(), reason="needs root for network namespaces")]
_GROUP, _PROMPT_GROUP = 4716, 4717
_DEADLINE_SECONDS = 15.0
_NODE = {4: "10.72.1.1", 6: "fd72:1::1"}
"""The node, as the client knows it."""


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    with standing("ctprompt") as built:
        yield built


@pytest.fixture
def watch(network: Network) -> Iterator[PayloadWatch]:
    settings = AgentSettings(
        netns=network.path(network.node), payload_group=_GROUP, prompt_group=_PROMPT_GROUP, dns_ports=str(net.OPEN)
    )
    books = Books(NameBook(), ProtocolBook(), TranslationBook())
    built = build_payload_watch(settings, books, PayloadLosses(Losses(), Losses()))
    assert built is not None
    yield built
    built.close()


def states(watch: PayloadWatch) -> dict[str, str]:
    return {one.name: one.state for one in watch.capabilities()}


def ask(network: Network, version: int) -> None:
    """A client asks the node itself, and is answered."""
    with entered(network.path(network.node)):
        server = socket.socket(net.FAMILIES[version], socket.SOCK_DGRAM)
        server.bind((_NODE[version], net.OPEN))
    with server, network.open(version, socket.SOCK_DGRAM) as client:
        client.sendto(dns.message.make_query("a.example", "A").to_wire(), (_NODE[version], net.OPEN))
        data, peer = server.recvfrom(512)
        answer = dns.message.make_response(dns.message.from_wire(data))
        answer.answer.append(dns.rrset.from_text("a.example.", 60, "IN", "A", "203.0.113.9"))
        server.sendto(answer.to_wire(), peer)
        client.recv(512)


def answered(watch: PayloadWatch) -> tuple[int, int]:
    """How many questions had been answered when one had, and how many of them have a latency."""
    deadline = time.monotonic() + _DEADLINE_SECONDS
    while True:
        watch.read()
        watch.note()
        columns = dict(watch.take_reports(time.time_ns(), flush=False))["dns.raw"]
        codes, counts, timed = columns["response_code"], columns["count"], columns["timed"]
        assert isinstance(codes, TextColumn)
        assert isinstance(counts, LongColumn)
        assert isinstance(timed, LongColumn)
        is_good = np.array([codes.texts[index] == "NOERROR" for index in codes.indices.tolist()], np.bool_)
        if is_good.any():
            return int(counts.values[is_good].sum()), int(timed.values[is_good].sum())
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("version", [4, 6], ids=["ipv4", "ipv6"])
def test_dns_and_applications_go_on_without_the_group_that_times_answers(
    network: Network, watch: PayloadWatch, version: int
) -> None:
    with closing(PayloadReader(network.path(network.node), _PROMPT_GROUP, 1 << 20)) as other:
        other.start()
        watch.start()
        assert states(watch) == {"dns": "ok", "dns_times": "missing", "applications": "ok"}
        [missing] = [one for one in watch.capabilities() if one.name == "dns_times"]
        assert "CONNTRAIL_AGENT__PROMPT_GROUP" in missing.describe()["reason"]
        ask(network, version)
        assert answered(watch) == (1, 0)
        assert other.read().packets == []


def test_the_group_is_taken_when_it_is_free_again(network: Network, watch: PayloadWatch) -> None:
    with closing(PayloadReader(network.path(network.node), _PROMPT_GROUP, 1 << 20)) as other:
        other.start()
        watch.start()
    watch.check_rules()
    assert states(watch) == {"dns": "ok", "dns_times": "ok", "applications": "ok"}
    ask(network, 4)
    assert answered(watch)[0] == 1


def test_a_group_that_fails_later_leaves_the_rest_as_it_is(network: Network, watch: PayloadWatch) -> None:
    watch.start()
    assert states(watch)["dns_times"] == "ok"
    [descriptor] = watch.prompt_filenos()
    with Path("/dev/null").open("rb") as no_socket:
        os.dup2(no_socket.fileno(), descriptor)
    watch.read_prompt(was_waited_for=False)
    assert states(watch) == {"dns": "ok", "dns_times": "missing", "applications": "ok"}
    ask(network, 4)
    assert answered(watch) == (1, 0)
