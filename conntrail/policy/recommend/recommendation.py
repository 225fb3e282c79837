"""From what was seen to a set of policies that allows just that, with the proof of it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import chain, count
from typing import Final

import yaml

from conntrail.policy.cluster.snapshot import Snapshot
from conntrail.policy.history.seen import History, Seen, SeenEnd
from conntrail.policy.recommend.block import parse_all
from conntrail.policy.recommend.demand import demand_of
from conntrail.policy.recommend.dialect import Dialect, Manifest
from conntrail.policy.recommend.dns import keep_dns, servers_of
from conntrail.policy.recommend.draft import Draft, draft_of
from conntrail.policy.recommend.group import Group, Groups, groups_of, key_of
from conntrail.policy.recommend.proof import Proof, prove
from conntrail.policy.recommend.question import Questions, apart_by, questions_about_all
from conntrail.policy.recommend.sift import Sifted, sift
from conntrail.policy.recommend.text import yaml_text
from streams.policy.network import parse_address

_SYSTEM: Final = ("kube-", "openshift-", "calico-", "tigera-", "cilium")
"""Beginnings of names of namespaces in which a missing rule stops the cluster itself: only by name."""
_LONGEST_NAME: Final = 240
_PREFIX: Final = "conntrail-"
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for."""

    dialect: Dialect
    namespace: str = ""
    """Empty for all but those of the system."""
    is_staged: bool = False
    keeps_icmp: bool = False
    """Let protocols that the kind has no word for through by rules without ports."""
    with_silent: bool = False
    """Isolate workloads too of which nothing was seen."""


@dataclass(frozen=True, slots=True)
class Recommendation:
    """A set of policies; it may be shown only if its proof names no failure."""

    drafts: tuple[Draft, ...]
    text: str
    """The policies as YAML: this is what was proven."""
    sifted: Sifted
    proof: Proof
    silent: tuple[Group, ...]
    """Workloads in question that no traffic was seen of, and that get no policy."""
    left_out: tuple[str, ...]
    """Namespaces of the system that nobody asked for."""
    has_dns: bool


def recommend(wish: Wish, history: History, snapshot: Snapshot) -> Recommendation:
    """Wide blocks and ranges give way to exact ones where they would let through what was denied."""
    groups = groups_of(snapshot, history)
    subjects = tuple(group for group in groups.all if group.is_lasting and _is_asked(group.namespace, wish))
    asked, concerned = _asking(history, snapshot), _concerned(subjects, groups)
    protocols = None if wish.keeps_icmp else wish.dialect.protocols
    sifted = sift(history, asked, snapshot.policies, protocols, concerned)
    material = _Material(wish, history, snapshot, groups, subjects, sifted)
    wide = _attempt(material, is_exact=False)
    return _attempt(material, is_exact=True) if wide.proof.opened else wide


def read_back(text: str) -> list[Manifest]:
    """The objects of a text, as whoever applies it reads them."""
    return [document for document in yaml.load_all(text, Loader=_LOADER) if document is not None]


@dataclass(frozen=True, slots=True)
class _Material:
    """What every attempt starts from."""

    wish: Wish
    history: History
    snapshot: Snapshot
    groups: Groups
    subjects: tuple[Group, ...]
    sifted: Sifted


def _attempt(material: _Material, *, is_exact: bool) -> Recommendation:
    wish, snapshot, groups, sifted = material.wish, material.snapshot, material.groups, material.sifted
    demand = demand_of(sifted.wanted, groups, snapshot, by_name=False)
    servers = servers_of(snapshot, groups, demand)
    if wish.dialect.is_by_name and servers:
        # Names mean nothing to a network plugin that sees no DNS.
        demand = demand_of(sifted.wanted, groups, snapshot, by_name=True)
    spoken = {group for group, _ in demand}
    chosen = [group for group in material.subjects if wish.with_silent or group in spoken]
    for group in chosen:
        keep_dns(demand, group, servers, snapshot.policies)
    kept_out = parse_all(_held(snapshot) | _denied_addresses(sifted))
    names = _names(chosen)
    drafts = tuple(draft_of(group, names[group], demand, kept_out, is_exact=is_exact) for group in chosen)
    text = yaml_text(drafts, wish.dialect, is_staged=wish.is_staged)
    return Recommendation(
        drafts=drafts,
        text=text,
        sifted=sifted,
        proof=prove(read_back(text), sifted, material.history, snapshot),
        silent=tuple(group for group in material.subjects if group not in chosen),
        left_out=tuple(sorted({group.namespace for group in groups.all if _is_left_out(group.namespace, wish)})),
        has_dns=bool(servers),
    )


def _asking(history: History, snapshot: Snapshot) -> Questions:
    apart = apart_by(snapshot.objects, snapshot.policies)
    return lambda seen: questions_about_all(seen, history, snapshot, apart)


def _is_asked(namespace: str, wish: Wish) -> bool:
    return namespace == wish.namespace if wish.namespace else not namespace.startswith(_SYSTEM)


def _is_left_out(namespace: str, wish: Wish) -> bool:
    return not wish.namespace and namespace.startswith(_SYSTEM)


def _concerned(subjects: Iterable[Group], groups: Groups) -> Callable[[Seen], bool]:
    """Records with an end that a recommended policy may select, whether it means to or not."""
    namespaces = {group.namespace for group in subjects}

    def is_concerned(seen: Seen) -> bool:
        ends = (seen.key.source, seen.key.destination)
        return any(end.kind == "workload" and end.namespace in namespaces and _may_be(end, groups) for end in ends)

    return is_concerned


def _may_be(end: SeenEnd, groups: Groups) -> bool:
    """Pods on their nodes' network are out of reach of policies; of the rest, one that is unknown may be any."""
    key = key_of(end)
    return key in groups.by_workload or key not in groups.hosts


def _held(snapshot: Snapshot) -> set[str]:
    endpoints = [pod.endpoint for pod in snapshot.pods.values()] + [node.endpoint for node in snapshot.nodes.values()]
    return {address for endpoint in endpoints for address in endpoint.addresses if parse_address(address)}


def _denied_addresses(sifted: Sifted) -> set[str]:
    return {end.address for seen, _ in sifted.denied for end in (seen.key.source, seen.key.destination) if end.address}


def _names(chosen: Iterable[Group]) -> dict[Group, str]:
    """Of the first workload; what would be called alike is numbered, so that no policy replaces another."""
    found: dict[Group, str] = {}
    taken: set[tuple[str, str]] = set()
    for group in chosen:
        plain = f"{_PREFIX}{group.workloads[0][2]}"[:_LONGEST_NAME].rstrip("-.")
        choices = chain([plain], (f"{plain}-{number}" for number in count(2)))
        name = next(name for name in choices if (group.namespace, name) not in taken)
        taken.add((group.namespace, name))
        found[group] = name
    return found
