"""A record of what was seen as questions about every pod of its workloads, not only about those that flows showed.

Pods that no policy at hand can tell apart stand for each other.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from conntrail.policy.cluster.snapshot import Snapshot
from conntrail.policy.history.replay import ends_of, of_family
from conntrail.policy.history.seen import History, Seen, SeenEnd
from conntrail.policy.recommend.group import key_of
from conntrail.policy.words.label import GENERATED, given_labels
from streams.metadata.endpoint import Endpoint
from streams.policy.compile import is_policy
from streams.policy.identity import Classes, classes_of
from streams.policy.network import parse_address
from streams.policy.object import PolicyObject
from streams.policy.policy_set import PolicySet
from streams.policy.question import End, Question

Questions = Callable[[Seen], tuple[Question, ...]]
"""Who might talk to whom if a record happened again."""


@dataclass(frozen=True, slots=True)
class Apart:
    """What some policies can tell pods apart by."""

    classes: Classes
    generated: frozenset[str]
    """Labels that controllers add and these policies ask for, such as the name of a StatefulSet's pod."""

    def identity(self, endpoint: Endpoint, *, with_node: bool) -> object:
        """Equal for pods that stand for each other."""
        labels = given_labels(endpoint.labels) | {
            key: value for key, value in endpoint.labels.items() if key in self.generated
        }
        addresses = frozenset(self.classes.of_address(parse_address(text)) for text in endpoint.addresses)
        place = endpoint.node_name if with_node or endpoint.host_network else ""
        account, services = endpoint.service_account, endpoint.services
        return tuple(labels.items()), addresses, place, account, services, endpoint.ports, endpoint.host_network


def apart_by(objects: Iterable[PolicyObject], policies: PolicySet) -> Apart:
    """A selector that asks for a label has its key in its text, whatever the language."""
    texts = [str(item.spec) for item in objects if is_policy(item.api_version, item.kind)]
    return Apart(classes_of(policies), frozenset(key for key in GENERATED if any(key in text for text in texts)))


def questions_about_all(seen: Seen, history: History, snapshot: Snapshot, apart: Apart) -> tuple[Question, ...]:
    """Who might talk to whom if it happened again, each once. None: an end is unknown, or gone and nobody knows it."""
    key = seen.key
    # A node always reaches its own pods, so it matters which of them run elsewhere.
    with_node = "node" in (key.source.kind, key.destination.kind)
    # One pod alone would only be asked about itself, which no policy forbids.
    count = 2 if key.source == key.destination else 1
    sources = list(_ends(key.source, seen.source_pods, history, snapshot, _Chosen(apart, with_node, count)))
    destinations = [
        replace(end, domains=seen.domains or None) if end.endpoint is None else end
        for end in _ends(key.destination, seen.destination_pods, history, snapshot, _Chosen(apart, with_node, count))
    ]
    return tuple(
        Question(of_family(source, destination), of_family(destination, source), key.protocol, key.port)
        for source in sources
        for destination in destinations
    )


@dataclass(frozen=True, slots=True)
class _Chosen:
    """How many pods of each identity stand for all."""

    apart: Apart
    with_node: bool
    count: int

    def among(self, endpoints: Iterable[Endpoint]) -> Iterator[Endpoint]:
        known: dict[object, int] = {}
        for endpoint in endpoints:
            identity = self.apart.identity(endpoint, with_node=self.with_node)
            known[identity] = known.get(identity, 0) + 1
            if known[identity] <= self.count:
                yield endpoint


def _ends(
    end: SeenEnd, examples: tuple[str, ...], history: History, snapshot: Snapshot, chosen: _Chosen
) -> Iterator[End]:
    pods = snapshot.workloads.get(key_of(end), ()) if end.kind == "workload" else ()
    if not pods:
        yield from ends_of(end, examples, history, snapshot)
        return
    for endpoint in chosen.among(pod.endpoint for pod in pods):
        addresses = (parse_address(text) for text in endpoint.addresses)
        yield End(endpoint, next((address for address in addresses if address is not None), None))
