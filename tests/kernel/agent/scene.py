"""A node with an agent, a real Kafka, and traffic through it."""

import socket
from dataclasses import dataclass

from tests.kernel.agent.network import Network
from tests.kernel.agent.process import AgentProcess, Published, read
from tests.support.waiting import until

PARTITIONS = 3


@dataclass
class Scene:
    network: Network
    agent: AgentProcess
    kafka: str
    topic: str

    def published(self) -> Published:
        return read(self.kafka, self.topic, PARTITIONS)

    def told(self) -> Published:
        """What the fast lane told."""
        return read(self.kafka, self.topic.replace("flows.raw", "denials.raw"), PARTITIONS)

    def until_published(self, port: int, rows: int = 1) -> None:
        until(lambda: len(self.published().between(port)) >= rows)


def exchange(client: socket.socket, server: socket.socket, request: int, answer: int) -> None:
    """Send both ways and wait until all has arrived."""
    for sender, receiver, size in ((client, server, request), (server, client, answer)):
        sender.sendall(bytes(size))
        left = size
        while left:
            left -= len(receiver.recv(left))
