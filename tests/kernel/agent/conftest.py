"""The node that tests of the agent share."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.publish import topics
from tests.kernel.agent.network import Network
from tests.kernel.agent.process import AgentProcess
from tests.kernel.agent.scene import PARTITIONS, Scene


@pytest.fixture
def scene(kafka: str, tmp_path: Path) -> Iterator[Scene]:
    prefix = topics.new_name()
    topic = f"{prefix}.flows.raw"
    for name in (topic, f"{prefix}.dns.raw", f"{prefix}.l7.raw", f"{prefix}.denials.raw"):
        topics.create(kafka, name, PARTITIONS)
    network = Network(f"ctagent{os.getpid()}")
    network.remove()
    agent = AgentProcess(kafka, network.path(network.node), tmp_path, f"{prefix}.")
    try:
        network.build()
        yield Scene(network, agent, kafka, topic)
    finally:
        agent.kill()
        network.remove()
