"""The kinds of policies that a recommendation is written in, and what each of them has no word for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from conntrail.policy.recommend.draft import Opening
from conntrail.policy.recommend.selection import Selection
from streams.policy.compile import STAGED_ANNOTATION
from streams.policy.question import Direction

Manifest = dict[str, Any]
Rule = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Dialect:
    """How to write one kind."""

    api_version: str
    kind: str
    subject: Callable[[Selection], Manifest]
    """The part of the spec that says whom the policy selects, and that it is about both directions."""
    rules: Callable[[Opening, Direction, str], list[Rule]]
    """Of an opening, in a policy of this namespace."""
    protocols: frozenset[str] | None
    """Those that it can name and that can be proven; None for all."""
    nothing: tuple[Rule, ...] = ()
    """Rules of a direction in which nothing is let through."""
    staged: Callable[[Manifest], Manifest] | None = None
    """Makes a policy one that is only tried out; None where the kind knows no such thing."""
    is_by_name: bool = False
    """Whether it knows destinations by the names that were resolved."""


def staged_by_annotation(manifest: Manifest) -> Manifest:
    """For kinds without a staged form of their own: Conntrail judges it as pending, a network plugin enforces it."""
    metadata = manifest["metadata"]
    annotations = {**metadata.get("annotations", {}), STAGED_ANNOTATION: "true"}
    return {**manifest, "metadata": {**metadata, "annotations": annotations}}


def enforced(manifest: Mapping[str, Any]) -> Manifest:
    """The policy as it will be once it is no longer staged."""
    metadata = dict(manifest["metadata"])
    annotations = {key: value for key, value in metadata.pop("annotations", {}).items() if key != STAGED_ANNOTATION}
    spec = {key: value for key, value in manifest["spec"].items() if key != "stagedAction"}
    kind = str(manifest["kind"]).removeprefix("Staged")
    return {**manifest, "kind": kind, "metadata": {**metadata, "annotations": annotations}, "spec": spec}
