"""Asks for the last flows between two ends, and for what the nodes' agents told last."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from conntrail.errors import CommandError
from conntrail.observe.condition import AnyCondition, matches
from conntrail.observe.reader import DocumentIndex, DocumentTopics
from conntrail.policy.explain.evidence import ACTIONS, reported_by, with_action
from conntrail.policy.history.document import time_ms
from conntrail.policy.history.period import Period
from runtime.settings import Settings
from schemas.topic import FLOWS
from streams.index.dataset import FLOW

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Look:
    """What is asked, and where."""

    conditions: list[AnyCondition]
    nodes: list[str]
    period: Period
    source: str
    """auto, elasticsearch or kafka."""


def read_last_flows(
    settings: Settings, look: Look, say: Callable[[str], None]
) -> tuple[dict[str, Document], dict[str, Document]]:
    """The last flow of each outcome, and the last that each node reported. Raises CommandError."""
    wanted = {action: with_action(look.conditions, action) for action in ACTIONS}
    reporters = {node: reported_by(node, settings.cluster) for node in look.nodes}
    if look.source == "elasticsearch" and not settings.elasticsearch.hosts:
        raise CommandError("CONNTRAIL_ELASTICSEARCH__HOSTS is empty: set it, or use --source kafka")
    if look.source != "kafka" and settings.elasticsearch.hosts:
        index = DocumentIndex(settings.elasticsearch, [FLOW])
        try:
            return _ask(index, wanted, look.period), _ask(index, reporters, look.period)
        except CommandError as error:
            if look.source == "elasticsearch":
                raise
            say(f"{error}: reading what Kafka still keeps")
    topic = DocumentTopics(settings.kafka, settings.schema_registry, [FLOWS], say)
    found: dict[str, Document] = {}
    reported: dict[str, Document] = {}
    for flow in topic.documents(look.period.since_ms, follow=False):
        if look.period.holds(time_ms(flow["@timestamp"])):
            _keep(flow, wanted, found)
            _keep(flow, reporters, reported)
    return found, reported


def _keep(flow: Document, wanted: dict[str, list[AnyCondition]], kept: dict[str, Document]) -> None:
    for name, conditions in wanted.items():
        if matches(conditions, flow) and (name not in kept or kept[name]["@timestamp"] <= flow["@timestamp"]):
            kept[name] = flow


def _ask(index: DocumentIndex, wanted: dict[str, list[AnyCondition]], period: Period) -> dict[str, Document]:
    found = {}
    for name, conditions in wanted.items():
        for flow in index.latest(conditions, period.since_ms, period.until_ms, 1):
            found[name] = flow
    return found
