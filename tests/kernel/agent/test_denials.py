"""What policies and servers turn away: told at once, and counted by the intervals all the same."""

from typing import Any

import pytest

from tests.kernel.agent.network import CLIENT, CLOSED_PORT, DENIED_PORT, REJECTED_PORT, SCANNED_PORTS, SERVER, is_root
from tests.kernel.agent.process import Published, long_interval
from tests.kernel.agent.scene import Scene
from tests.support.waiting import until

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.stack,
    pytest.mark.skipif(not is_root(), reason="network namespaces need root"),
]


def attempts(published: Published, port: int) -> int:
    """First packets that nothing confirmed."""
    return sum(row["attempts"] for row in published.between(port))


def scanned(published: Published, ports: range) -> list[dict[str, Any]]:
    """Rows of connections that were dialled at any of these ports."""
    return [row for row in published.rows if row["original_destination_port"] in ports]


def test_a_denied_attempt_is_reported_and_the_rules_go_with_the_agent(scene: Scene) -> None:
    scene.agent.start()
    assert "conntrail" in scene.network.tables()
    with pytest.raises(TimeoutError):
        scene.network.dial(SERVER, DENIED_PORT, timeout=1.5)
    scene.until_published(DENIED_PORT)
    assert scene.agent.stop() == 0, scene.agent.log()
    rows = scene.published().between(DENIED_PORT)
    assert {row["evidence"] for row in rows} == {"attempt"}
    assert {row["end_reason"] for row in rows} == {"denied"}
    assert sum(row["attempts"] for row in rows) >= 1
    assert {row["original_source_address"] for row in rows} == {CLIENT}
    assert "conntrail" not in scene.network.tables()


def test_a_denial_is_told_ahead_of_its_interval_which_counts_it_all_the_same(scene: Scene) -> None:
    scene.agent.start(CONNTRAIL_AGENT__INTERVAL=long_interval())
    for _ in range(2):
        with pytest.raises(TimeoutError):
            scene.network.dial(SERVER, DENIED_PORT, timeout=0.3)
    for port in (REJECTED_PORT, CLOSED_PORT):
        with pytest.raises(ConnectionRefusedError):
            scene.network.dial(SERVER, port)
    wanted = {DENIED_PORT: 2, REJECTED_PORT: 1, CLOSED_PORT: 1}
    until(lambda: all(attempts(scene.told(), port) >= count for port, count in wanted.items()))
    assert not scene.published().rows
    assert scene.agent.stop() == 0, scene.agent.log()
    told, published = scene.told(), scene.published()
    for port, evidence in ((DENIED_PORT, "attempt"), (REJECTED_PORT, "reject")):
        assert attempts(told, port) == attempts(published, port)
        assert {row["evidence"] for row in told.between(port)} == {evidence}
    for rows in (told.between(CLOSED_PORT), published.between(CLOSED_PORT)):
        [row] = rows
        assert (row["evidence"], row["end_reason"], row["seen_reply"]) == ("confirmed", "reset", False)
        assert (row["original_packets"], row["reply_packets"]) == (1, 1)
    [row, *_] = told.between(DENIED_PORT)
    assert (row["original_source_address"], row["original_source_port"]) == (CLIENT, 0)
    assert {batch.coverage for batch in told.batches.values()} == {"complete"}


def test_a_scan_is_told_within_bounds_and_what_exceeds_them_is_counted(scene: Scene) -> None:
    scene.agent.start()
    ports = range(SCANNED_PORTS[0], SCANNED_PORTS[0] + 1500)
    scene.network.try_each(SERVER, ports)
    until(lambda: len(scanned(scene.published(), ports)) >= len(ports))
    assert scene.agent.stop() == 0, scene.agent.log()
    told = scene.told()
    lost = {batch.sequence: batch.lost.get("denials_overflow", 0) for batch in told.batches.values()}
    assert sum(lost.values()) > 0
    assert len(told.rows) <= 256 * len(lost)
    counted = sum(row["attempts"] for row in scanned(scene.published(), ports))
    assert sum(row["attempts"] for row in told.rows) + sum(lost.values()) == counted


def test_the_fast_lane_can_be_turned_off(scene: Scene) -> None:
    scene.agent.start(CONNTRAIL_AGENT__DENIALS="false")
    with pytest.raises(TimeoutError):
        scene.network.dial(SERVER, DENIED_PORT, timeout=0.3)
    scene.until_published(DENIED_PORT)
    assert scene.agent.stop() == 0, scene.agent.log()
    assert not scene.told().batches
