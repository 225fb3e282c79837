"""Records of k8s.objects in the order of the log, gathered into a Directory.

Cheap to ask: only what has changed since the last time is worked out again.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import polars as pl

from streams.metadata.claim import Claim, claim_frame, settle
from streams.metadata.directory import Directory, Lookup
from streams.metadata.endpoint import Endpoint
from streams.metadata.history import History
from streams.metadata.holder import Holder, Labels
from streams.metadata.membership import Membership, PodName
from streams.metadata.network import Networks
from streams.metadata.numbering import Numbering
from streams.metadata.service_book import ServiceBook

Record = Mapping[str, Any]
_FORGOTTEN: Final = Endpoint(kind="pod", name="", uid="")


class DirectoryBuilder:
    """Takes records in, and gives out what is known. Records may be repeated; the newest observation counts."""

    def __init__(self) -> None:
        self._numbering = Numbering(_FORGOTTEN)
        self._node_names: list[str] = []
        self._is_node: list[bool] = []
        self._holders: dict[str, Holder] = {}
        self._current: dict[str, str] = {}
        self._by_name: dict[PodName, list[Holder]] = {}
        self._in_namespace: dict[str, dict[str, None]] = {}
        self._namespaces: dict[str, History[Labels]] = {}
        self._networks: dict[str, tuple[str, ...]] = {}
        self._membership = Membership()
        self._services = ServiceBook()
        self._claims = claim_frame(())
        self._changed: dict[Holder, None] = {}
        self._gone: list[Holder] = []
        self._unused: list[int] = []
        self._last_holder = 0
        self._latest_ns = 0
        self._made: Directory | None = None

    def apply(self, key: str, record: Record | None) -> None:
        """Take in one record. A null is a tombstone: what it names was deleted before, and stays for flows of then."""
        self._made = None
        if record is None:
            self._end(key)
            return
        self._latest_ns = max(self._latest_ns, record["observed_at_ns"])
        if record["kind"] in ("Pod", "Node"):
            self._apply_holder(key, record)
        elif record["kind"] == "Service":
            self._services.take(key, record)
        elif record["kind"] == "Namespace":
            self._apply_namespace(record)
        elif record["kind"] == "EndpointSlice":
            self._mark(self._membership.take(key, record))

    def forget_before(self, at_ns: int) -> None:
        """Drop what ended before an instant (Unix time, ns) which no flow can ask for any more."""
        for identity in [identity for identity, holder in self._holders.items() if holder.is_over_before(at_ns)]:
            self._drop(self._holders.pop(identity))
        self._current = {key: identity for key, identity in self._current.items() if identity in self._holders}
        for namespace in [name for name, labels in self._namespaces.items() if labels.forget_before(at_ns)]:
            self._mark(PodName(namespace, name) for name in self._in_namespace.get(namespace, ()))
        for holder in self._holders.values():
            if holder.forget_before(at_ns):
                self._changed[holder] = None
        self._services.forget_before(at_ns)
        self._refresh()
        self._numbering.give_back(self._unused)
        self._unused = []
        self._made = None

    def directory(self, version: int) -> Directory:
        """What is known now. ``version``: how far the log has been taken in."""
        if self._made is None or self._made.version != version:
            self._made = self._make(version)
        return self._made

    def _make(self, version: int) -> Directory:
        self._refresh()
        claims, service_claims = settle(self._claims), self._services.frame()
        return Directory(
            version=version,
            endpoints=tuple(self._numbering.values),
            services=tuple(self._services.services),
            claims=claims,
            service_claims=service_claims,
            node_names=pl.Series("node_name", self._node_names, dtype=pl.String),
            is_node=pl.Series("is_node", self._is_node, dtype=pl.Boolean),
            networks=Networks(network for networks in self._networks.values() for network in networks),
            lookup=Lookup(claims, service_claims),
        )

    def _apply_holder(self, key: str, record: Record) -> None:
        """A pod's name can be used again by another pod: the UID tells them apart."""
        identity = record["uid"] or key
        before = self._holders.get(self._current.get(key, identity))
        holder = self._holders.get(identity)
        if holder is None:
            holder = self._holders[identity] = self._new_holder(key, record)
        if before is not None and before is not holder and before.deleted_at_ns is None:
            before.end(record["created_at_ns"] or record["observed_at_ns"])
            self._changed[before] = None
        self._current[key] = identity
        holder.take(record)
        self._changed[holder] = None
        if record["kind"] == "Node":
            self._networks[key] = tuple(record["pod_cidrs"])

    def _new_holder(self, key: str, record: Record) -> Holder:
        self._last_holder += 1
        name = PodName(record["namespace"], record["name"])
        holder = Holder(self._last_holder, key, name)
        self._by_name.setdefault(name, []).append(holder)
        self._in_namespace.setdefault(name.namespace, {})[name.name] = None
        return holder

    def _apply_namespace(self, record: Record) -> None:
        if record["deleted_at_ns"] is not None:
            return
        history = self._namespaces.setdefault(record["name"], History())
        if history.put(record["observed_at_ns"], record["labels"]):
            self._mark(PodName(record["name"], name) for name in self._in_namespace.get(record["name"], ()))

    def _end(self, key: str) -> None:
        """A deletion that was missed happened no later than the latest thing known."""
        holder = self._holders.get(self._current.get(key, ""))
        if holder is not None and holder.deleted_at_ns is None:
            holder.end(self._latest_ns)
            self._changed[holder] = None
        self._services.end(key, self._latest_ns)
        self._mark(self._membership.take(key, None))

    def _mark(self, pods: Iterable[PodName]) -> None:
        for pod in pods:
            self._changed.update(dict.fromkeys(self._by_name.get(pod, ())))

    def _drop(self, holder: Holder) -> None:
        self._unused += [number for number, _ in holder.named]
        self._gone.append(holder)
        self._changed.pop(holder, None)
        if self._current.get(holder.key) not in self._holders:
            self._networks.pop(holder.key, None)
        self._by_name[holder.name].remove(holder)
        if not self._by_name[holder.name]:
            del self._by_name[holder.name]
            self._in_namespace[holder.name.namespace].pop(holder.name.name)

    def _refresh(self) -> None:
        """Work out the claims of the holders that have changed."""
        stale = [holder.number for holder in (*self._changed, *self._gone)]
        if not stale:
            return
        fresh = claim_frame(claim for holder in self._changed for claim in self._claims_of(holder))
        kept = self._claims.filter(~pl.col("holder").is_in(stale))
        self._claims = pl.concat([kept, fresh], rechunk=True)
        self._changed.clear()
        self._gone.clear()

    def _claims_of(self, holder: Holder) -> Iterable[Claim]:
        services = self._membership.services_of(holder.name)
        known, holder.named = holder.named, []
        for span in holder.spans(self._namespaces.get(holder.name.namespace), services):
            index = self._number(span.value, known)
            holder.named.append((index, span.value))
            for address, assigned, released in holder.tenures:
                start, end = max(span.start_ns, assigned), min(span.end_ns, released)
                if start < end:
                    yield Claim(address, start, end, assigned, holder.states.first_observed_ns, holder.number, index)
        self._unused += [number for number, _ in known]

    def _number(self, endpoint: Endpoint, known: list[tuple[int, Endpoint]]) -> int:
        """The number of the state that means the same, or a new one."""
        place = next((place for place, (_, old) in enumerate(known) if old.means_the_same(endpoint)), None)
        number = self._numbering.add(endpoint) if place is None else known.pop(place)[0]
        self._numbering.values[number] = endpoint
        if number == len(self._node_names):
            self._node_names.append(endpoint.node_name)
            self._is_node.append(endpoint.kind == "node")
        else:
            self._node_names[number] = endpoint.node_name
            self._is_node[number] = endpoint.kind == "node"
        return number
