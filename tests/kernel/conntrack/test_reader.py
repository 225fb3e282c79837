"""Dumps and events of a real kernel, against pyroute2's own decoder, and what goes wrong."""

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from agents.errors import ReadError, RightsError
from agents.node.conntrack.reader import ConntrackReader
from agents.node.conntrack.table import ConnectionTable
from agents.node.interval.loss import Losses
from agents.node.metrics import NodeMetrics
from agents.node.watch.connection.processor import ConnectionWatch
from tests.kernel.conntrack.network import Network, network
from tests.kernel.conntrack.record import dump, traffic
from tests.support.conntrack_load import load
from tests.support.waiting import until
from tests.unit.agents.node.conntrack.reference import expected, fields, split

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
    pytest.mark.skipif(
        any(shutil.which(name) is None for name in ("conntrack", "nft", "ip")),
        reason="needs the programs conntrack, nft and ip (make setup)",
    ),
]
NOBODY = 65534


@pytest.fixture
def there() -> Iterator[Network]:
    with network() as built:
        yield built


@pytest.fixture
def reader(there: Network) -> Iterator[ConntrackReader]:
    opened = ConntrackReader(there.path, 1 << 24)
    opened.start()
    yield opened
    opened.close()


def without_timeout(values: dict[str, Any]) -> list[tuple[str, Any]]:
    """It runs down between two dumps."""
    return sorted(item for item in values.items() if item[0] != "timeout")


def test_a_dump_says_what_pyroute2_says(reader: ConntrackReader, there: Network) -> None:
    load(there.name, 2500)
    traffic(there)
    until(lambda: "ESTABLISHED" not in there.conntrack("-L", "-p", "tcp", "-s", "10.79.0.1"))
    found = reader.dump()
    assert (found.malformed, found.interrupted) == (0, False)
    assert len(found.entries) > 2500
    theirs = sorted(without_timeout(expected(message)) for message in split(dump(there.path)))
    assert sorted(without_timeout(fields(row)) for row in found.entries) == theirs


def test_a_second_dump_is_not_mixed_with_the_first(reader: ConntrackReader, there: Network) -> None:
    assert len(reader.dump().entries) == 0
    load(there.name, 6000)
    assert len(reader.dump().entries) == 6000
    there.conntrack("-F")
    assert len(reader.dump().entries) == 0


def test_more_events_than_a_batch_holds_are_read_in_one_call(reader: ConntrackReader, there: Network) -> None:
    load(there.name, 3000)
    there.conntrack("-F")
    events = reader.read_events()
    assert (len(events.new), len(events.destroyed)) == (3000, 3000)
    assert (events.overruns, events.malformed) == (0, 0)
    assert set(events.new["id"].tolist()) == set(events.destroyed["id"].tolist())
    quiet = reader.read_events()
    assert (len(quiet.new), len(quiet.destroyed), quiet.overruns) == (0, 0, 0)


def test_an_overrun_is_counted_and_the_socket_goes_on(there: Network) -> None:
    small = ConntrackReader(there.path, 4096)
    small.start()
    load(there.name, 3000)
    first = small.read_events()
    assert first.overruns >= 1
    assert first.malformed == 0
    assert len(first.new) < 3000
    there.insert(seconds=100)
    second = small.read_events()
    assert (len(second.new), second.overruns) == (1, 0)
    assert len(small.dump().entries) == 3001
    small.close()


def test_pressure_is_told_before_an_overrun_and_gone_when_events_were_read(there: Network) -> None:
    reader = ConntrackReader(there.path, 4 << 20)
    watch = ConnectionWatch(reader, ConnectionTable(1, 1 << 20), Losses(), NodeMetrics(CollectorRegistry()))
    assert (reader.queued_share(), watch.is_pressed()) == (0.0, False)
    watch.start()
    there.insert(seconds=100)
    assert 0 < reader.queued_share() < 0.01
    assert not watch.is_pressed()
    load(there.name, 3000)
    assert 1 / 8 < reader.queued_share() < 1
    assert watch.is_pressed()
    assert (len(watch.drain(1).new), reader.queued_share(), watch.is_pressed()) == (3001, 0.0, False)
    watch.close()
    assert not watch.is_pressed()


def test_a_reader_that_was_closed_starts_again(reader: ConntrackReader, there: Network) -> None:
    reader.close()
    with pytest.raises(ReadError, match="not started"):
        reader.fileno()
    reader.start()
    load(there.name, 10)
    assert len(reader.read_events().new) == 10


def test_no_namespace_is_one_clear_line() -> None:
    with pytest.raises(ReadError, match=r"^network namespace /run/netns/conntrail-none: "):
        ConntrackReader("/run/netns/conntrail-none", 4096).start()


def test_a_missing_right_is_named() -> None:
    reader = ConntrackReader("", 4096)
    os.seteuid(NOBODY)
    try:
        with pytest.raises(RightsError, match="CAP_NET_ADMIN"):
            reader.start()
        with pytest.raises(RightsError, match="CAP_NET_ADMIN"):
            reader.dump()
    finally:
        os.seteuid(0)
