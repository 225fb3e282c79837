"""Builds what watches the payloads of the node, as the settings ask."""

from typing import Final

from agents.node.application.options import ApplicationOptions, Treatment
from agents.node.application.table import ApplicationTable
from agents.node.dns.table import DnsTable
from agents.node.payload.reader import PayloadReader
from agents.node.payload.ruleset import Groups, Selection
from agents.node.payload.writer import PayloadRules
from agents.node.watch.payload.processor import Books, PayloadLosses, PayloadWatch, Readers, Tables
from agents.node.watch.payload.prompt.processor import PromptWatch
from runtime.settings import AgentSettings
from runtime.unit import parse_ports

_PROMPT_BUFFER_BYTES: Final = 1 << 20


def build_payload_watch(
    agent: AgentSettings, books: Books, losses: PayloadLosses, *, is_trial: bool = False
) -> PayloadWatch | None:
    """None when neither DNS nor applications are read. ``is_trial``: the kernel is asked whether it would do."""
    if not (agent.dns or agent.applications):
        return None
    dns = Selection(agent.dns_per_second, parse_ports("dns_ports", agent.dns_ports))
    ports = parse_ports("application_ports", agent.application_ports)
    application = Selection(agent.application_per_second, ports)
    return PayloadWatch(
        PayloadRules(
            agent.netns,
            Groups(agent.payload_group, agent.prompt_group),
            dns if agent.dns else None,
            application if agent.applications else None,
            is_trial=is_trial,
        ),
        Readers(
            PayloadReader(agent.netns, agent.payload_group, agent.receive_buffer),
            PromptWatch(PayloadReader(agent.netns, agent.prompt_group, _PROMPT_BUFFER_BYTES, is_prompt=True)),
        ),
        Tables(
            DnsTable() if agent.dns else None,
            ApplicationTable(_application_options(agent)) if agent.applications else None,
        ),
        books,
        losses,
    )


def _application_options(agent: AgentSettings) -> ApplicationOptions:
    return ApplicationOptions(
        keep_query=agent.keep_query,
        paths=Treatment(agent.paths),
        hosts=Treatment(agent.hosts),
        user_agents=Treatment(agent.user_agents),
        request_ids=Treatment(agent.request_ids),
        hash_key=agent.hash_key.encode(),
    )
