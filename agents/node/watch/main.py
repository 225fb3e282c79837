"""Builds all that watches the node, as the settings ask."""

from dataclasses import dataclass
from typing import Final

from agents.node.attempt.reader import AttemptReader
from agents.node.attempt.table import AttemptTable
from agents.node.attempt.writer import AttemptRules
from agents.node.conntrack.reader import ConntrackReader
from agents.node.conntrack.table import ConnectionTable
from agents.node.interval.loss import Losses
from agents.node.metrics import NodeMetrics
from agents.node.payload.translation_book import TranslationBook
from agents.node.process.reader import ProcessReader
from agents.node.report.known_socket import KnownSockets
from agents.node.report.name_book import NameBook
from agents.node.report.protocol_book import ProtocolBook
from agents.node.socket.reader import SocketReader
from agents.node.watch.attempt.processor import AttemptWatch
from agents.node.watch.connection.processor import ConnectionWatch
from agents.node.watch.payload.main import build_payload_watch
from agents.node.watch.payload.processor import Books, PayloadLosses
from agents.node.watch.processor import NodeWatch
from agents.node.watch.socket.processor import SocketWatch
from runtime.settings import AgentSettings

_CONNECTIONS: Final = 262_144
"""Connections and attempts kept at most: the kernel's own default limit of a large node (nf_conntrack_max)."""
_SOCKETS: Final = 131_072


@dataclass(frozen=True, slots=True)
class Kept:
    """What is known from one interval to the next, and taken up again by the next life of the agent."""

    table: ConnectionTable
    known: KnownSockets


def empty(seed: int) -> Kept:
    """Nothing known yet; ``seed`` stands for the node."""
    return Kept(ConnectionTable(seed, _CONNECTIONS), KnownSockets(_SOCKETS))


def build_watch(
    agent: AgentSettings,
    seed: int,
    kept: Kept,
    metrics: NodeMetrics,
    losses: tuple[Losses, PayloadLosses],
    *,
    is_trial: bool = False,
) -> NodeWatch:
    """Everything inert. ``losses``: those of flows, then those of payloads. ``is_trial``: no rules are installed."""
    flow_losses, payload_losses = losses
    books = Books(NameBook(), ProtocolBook(), TranslationBook())
    reader = ConntrackReader(agent.netns, agent.receive_buffer)
    rules = AttemptRules(agent.netns, agent.nflog_group, agent.attempts_per_second, is_trial=is_trial)
    attempts = AttemptTable(seed, round(agent.attempt_patience * 1e9), _CONNECTIONS)
    attempt_reader = AttemptReader(agent.netns, agent.nflog_group, agent.receive_buffer)
    return NodeWatch(
        ConnectionWatch(reader, kept.table, flow_losses, metrics),
        AttemptWatch(rules, attempt_reader, attempts, flow_losses, metrics),
        _build_sockets(agent, kept.known, metrics) if agent.sockets else None,
        build_payload_watch(agent, books, payload_losses, is_trial=is_trial),
        books,
        kept.known,
        flow_losses,
    )


def _build_sockets(agent: AgentSettings, known: KnownSockets, metrics: NodeMetrics) -> SocketWatch:
    reader = SocketReader(agent.netns, agent.receive_buffer)
    return SocketWatch(reader, ProcessReader(), known, metrics)
