"""Which names a cluster has, by the keys of its topic of objects, and which of them fit what was typed."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Final

from conntrail.text import printable

_MOST_OFFERED: Final = 200
_WORKLOADS: Final = ("Deployment", "StatefulSet", "DaemonSet", "CronJob", "ReplicaSet", "Job")
_MAKERS: Final = {"ReplicaSet": "Deployment", "Job": "CronJob"}
"""Whose names theirs begin with, when they are made by one."""
_POLICIES: Final = (
    "NetworkPolicy", "AdminNetworkPolicy", "BaselineAdminNetworkPolicy", "ClusterNetworkPolicy", "GlobalNetworkPolicy",
    "StagedNetworkPolicy", "StagedGlobalNetworkPolicy", "StagedKubernetesNetworkPolicy", "CiliumNetworkPolicy",
    "CiliumClusterwideNetworkPolicy",
)  # fmt: skip
_KINDS: Final = {
    "namespace": ("Namespace",),
    "pod": ("Pod",),
    "workload": _WORKLOADS,
    "service": ("Service",),
    "node": ("Node",),
    "policy": _POLICIES,
}
_SAFE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
"""Names of Kubernetes have no other letters, and a shell is given none."""


def names_of(kind: str, keys: Iterable[str]) -> list[str]:
    """``namespace/name``, or the name of what has no namespace, of objects of a kind; keys: ``Kind/namespace/name``.

    ``kind``: namespace, pod, workload, service, node or policy. Kinds of other groups are ``Kind.group`` in a key.
    """
    wanted, known = _KINDS[kind], set(keys)
    found = set()
    for key in known:
        full_kind, _, rest = key.partition("/")
        object_kind = full_kind.partition(".")[0]
        namespace, _, name = rest.rpartition("/")
        if object_kind not in wanted or not _SAFE.fullmatch(name) or (namespace and not _SAFE.fullmatch(namespace)):
            continue
        stem = name.rpartition("-")[0]
        if not stem or f"{_MAKERS.get(object_kind)}/{namespace}/{stem}" not in known:
            found.add(f"{namespace}/{name}" if namespace else name)
    return sorted(found)


def among(words: Iterable[str]) -> Callable[[str], list[str]]:
    """Completion of one of some words, of which several may be typed with commas between."""
    known = list(words)

    def complete(incomplete: str) -> list[str]:
        done, comma, typed = incomplete.rpartition(",")
        return [f"{done}{comma}{word}" for word in known if word.lower().startswith(typed.lower())]

    return complete


def fitting(names: Iterable[str], typed: str) -> list[str]:
    """Those that begin with what was typed; of ``namespace/name`` the bare name fits too."""
    found = []
    for name in names:
        bare = name.rpartition("/")[2]
        found += [offer for offer in dict.fromkeys((name, bare if typed else name)) if offer.startswith(typed)]
    return sorted(set(found))[:_MOST_OFFERED]


def nearest(names: Iterable[str], typed: str) -> list[str] | None:
    """Names that may have been meant, nearest first; None when what was typed is one of them, or a pattern."""
    known = list(names)
    bare = "/" not in typed
    spelt = {name.rpartition("/")[2] if bare else name: name for name in known}
    if "*" in typed or typed in spelt:
        return None
    return [spelt[near] for near in get_close_matches(typed, spelt, n=3)]


def unknown_names(values: Mapping[str, Sequence[str]], keys: Iterable[str]) -> Iterator[str]:
    """A line for each name that a filter asks for and the cluster does not have now; values: what was typed."""
    known = set(keys)
    for option, texts in values.items():
        kind = option.removeprefix("from_").removeprefix("to_")
        names = names_of(kind, known) if kind in _KINDS else []
        for typed in texts if names else ():
            meant = nearest(names, "/".join(typed.split("/")[-2:]))  # a workload may be asked for with its kind
            if meant is not None:
                words = f": did you mean {' or '.join(meant)}?" if meant else ""
                yield printable(f"no {kind} {typed} is in the cluster now{words}")
