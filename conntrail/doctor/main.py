"""Looks at one area after the other. What an area needs is loaded when it is looked at: extras may not be installed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version

from conntrail.doctor.finding import Area, Finding
from conntrail.errors import CommandError
from conntrail.extra import advice
from runtime.settings import Settings
from schemas.role import ROLES, Role


@dataclass(frozen=True, slots=True)
class Doctor:
    """What is looked at, and for whom."""

    settings: Settings
    role: Role | None = None
    """Whose rights are asked for; None: those of any role will do."""
    account: str = ""
    """``namespace/name`` of the service account whose rights in a cluster are asked for; empty: our own."""

    def look_at(self, area: Area) -> list[Finding]:
        """Findings of one area. Raises CommandError where a check cannot even begin."""
        looks: dict[Area, Callable[[], Iterator[Finding]]] = {
            "node": self._node,
            "cluster": self._cluster,
            "kafka": self._kafka,
            "elasticsearch": self._elasticsearch,
            "registry": self._registry,
        }
        return list(looks[area]())

    def _node(self) -> Iterator[Finding]:
        from conntrail.doctor.node.judge import judge_node  # noqa: PLC0415 - see above
        from conntrail.doctor.node.reader import read_node  # noqa: PLC0415

        yield from judge_node(read_node(self.settings.agent))

    def _cluster(self) -> Iterator[Finding]:
        from conntrail.doctor.cluster.check import SERVER  # noqa: PLC0415 - see above

        try:
            from agents.cluster.right import rights_of  # noqa: PLC0415
            from conntrail.doctor.cluster.judge import judge_cluster  # noqa: PLC0415
            from conntrail.doctor.cluster.reader import read_cluster  # noqa: PLC0415

            own = self.settings.cluster_agent
            lease = (own.lease_namespace, own.lease_name) if own.lease_name else None
            rights = rights_of(lease, has_events=own.events, makes_events=own.alert_events)
            yield from judge_cluster(read_cluster(own.kubeconfig, rights, self.account), version("conntrail"))
        except CommandError as error:
            yield SERVER.missing(str(error))
        except ModuleNotFoundError as error:
            yield SERVER.skipped(_advice(error))

    def _kafka(self) -> Iterator[Finding]:
        from conntrail.doctor.kafka.check import SERVER  # noqa: PLC0415 - see above
        from conntrail.doctor.kafka.judge import judge_role, judge_roles, judge_topics, names_of  # noqa: PLC0415
        from conntrail.doctor.kafka.reader import read_kafka  # noqa: PLC0415

        kafka = self.settings.kafka
        topics, groups = names_of((self.role,) if self.role else ROLES, kafka.topic_prefix)
        try:
            facts = read_kafka(kafka, topics, groups)
        except CommandError as error:
            yield SERVER.missing(str(error))
            return
        yield SERVER.ok(f"{kafka.bootstrap_servers}, {facts.brokers} brokers")
        yield judge_topics(facts, topics)
        yield from judge_role(facts, self.role) if self.role else judge_roles(facts)

    def _elasticsearch(self) -> Iterator[Finding]:
        from conntrail.doctor.elasticsearch.check import SERVER  # noqa: PLC0415 - see above

        settings = self.settings.elasticsearch
        if not settings.hosts:
            yield SERVER.skipped("CONNTRAIL_ELASTICSEARCH__HOSTS is empty: nothing is indexed")
            return
        try:
            from conntrail.doctor.elasticsearch.judge import judge_elasticsearch  # noqa: PLC0415
            from conntrail.doctor.elasticsearch.reader import read_elasticsearch  # noqa: PLC0415
            from streams.index.privilege import privileges  # noqa: PLC0415

            wanted = privileges(settings.namespace)
            facts = read_elasticsearch(settings, self.settings.index, wanted)
            yield from judge_elasticsearch(facts, wanted, self.role.name if self.role else "")
        except CommandError as error:
            yield SERVER.missing(str(error))
        except ModuleNotFoundError as error:
            yield SERVER.skipped(_advice(error))

    def _registry(self) -> Iterator[Finding]:
        from conntrail.doctor.registry.check import SERVER  # noqa: PLC0415 - see above
        from conntrail.doctor.registry.judge import judge_registry  # noqa: PLC0415
        from conntrail.doctor.registry.reader import read_registered  # noqa: PLC0415

        try:
            yield from judge_registry(read_registered(self.settings), self.settings.schema_registry.url)
        except CommandError as error:
            yield SERVER.missing(str(error))


def _advice(error: ModuleNotFoundError) -> str:
    """Raise what was given where no extra brings the package."""
    line = advice(error.name or "")
    if line is None:
        raise error
    return line
