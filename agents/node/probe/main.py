"""Finds the capability record that an agent would have on this node, by the agent's own parts, and changes nothing.

Rules are checked by the kernel and not put in place, settings are opened and not written. Where an agent runs already,
its log groups are left to it and free ones stand for them; groups that anybody else holds are told as the agent would.
"""

import msgspec
from prometheus_client import CollectorRegistry

from agents.node.capability.record import Capability
from agents.node.interval.loss import Losses
from agents.node.metrics import NodeMetrics
from agents.node.namespace.reader import entered
from agents.node.probe.group import choose_groups
from agents.node.probe.reader import read_held_groups, read_own_groups
from agents.node.sysctl.writer import enable_conntrack
from agents.node.watch.main import build_watch, empty
from agents.node.watch.payload.processor import PayloadLosses
from runtime.settings import AgentSettings


def probe(settings: AgentSettings) -> list[Capability]:
    """What an agent with these settings would see here. Takes the time of one dump of the conntrack table.

    Raises AgentError when the node's network namespace cannot be entered.
    """
    with entered(settings.netns):
        held, own = read_held_groups(), read_own_groups()
        found = enable_conntrack(settings.sysctl_directory, is_trial=True)
    agent = msgspec.structs.replace(settings, **choose_groups(settings, held, own))
    losses = PayloadLosses(Losses(), Losses())
    metrics = NodeMetrics(CollectorRegistry())
    watch = build_watch(agent, 0, empty(0), metrics, (Losses(), losses), is_trial=True)
    try:
        watch.start()
        return [*found, *watch.capabilities()]
    finally:
        watch.close()
