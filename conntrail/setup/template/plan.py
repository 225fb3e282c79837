"""Which templates and policies have to be written: those that are absent or not as this release makes them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from conntrail.setup.change import Change
from runtime.settings import IndexSettings
from streams.index.template import (
    ClusterFeatures,
    component_templates,
    index_templates,
    is_as_written,
    lifecycle_policies,
)

Kind = Literal["lifecycle policy", "component template", "index template"]
Body = dict[str, Any]
_USUAL: Final = IndexSettings()


@dataclass(frozen=True, slots=True, order=True)
class ObjectName:
    """One object of Elasticsearch."""

    kind: Kind
    name: str


def wanted_objects(features: ClusterFeatures, index: IndexSettings = _USUAL) -> dict[ObjectName, Body]:
    """Everything that setup writes, in the order in which one builds on another."""
    return {
        **{ObjectName("lifecycle policy", name): body for name, body in lifecycle_policies(features, index).items()},
        **{ObjectName("component template", name): body for name, body in component_templates(features).items()},
        **{ObjectName("index template", name): body for name, body in index_templates(features).items()},
    }


def plan_objects(wanted: Mapping[ObjectName, Body], existing: Mapping[ObjectName, Body]) -> list[Change]:
    """What is said of each object; ``create`` and ``update`` are to be written."""
    return [_change(name, body, existing.get(name)) for name, body in wanted.items()]


def _change(name: ObjectName, body: Body, found: Body | None) -> Change:
    if found is None:
        return Change("create", name.kind, name.name)
    if name.kind == "lifecycle policy":
        return _policy_change(name, body, found)
    if _comparable(found, body) == _comparable(body, body):
        return Change("keep", name.kind, name.name)
    return Change(
        "update", name.kind, name.name, "differs from this release; changes of your own belong into <template>@custom"
    )


def _policy_change(name: ObjectName, body: Body, found: Body) -> Change:
    """A policy that is as a setup wrote it follows the settings; one that was changed since is its changer's."""
    if found["policy"].get("phases") == body["policy"]["phases"]:
        return Change("keep", name.kind, name.name)
    if is_as_written(found):
        return Change("update", name.kind, name.name, "CONNTRAIL_INDEX__KEEP_… says so")
    return Change("keep", name.kind, name.name, "not as setup writes it: how long to keep is yours to say")


def _comparable(body: Body, wanted: Body) -> dict[str, str]:
    """Newer servers add dates of creation and the like: compare what we say, whole."""
    return dict(_leaves("", {name: body.get(name) for name in wanted}))


def _leaves(path: str, value: Any) -> Iterator[tuple[str, str]]:
    """Dotted paths and texts: Elasticsearch gives ``1`` back as ``"1"`` and ``a.b`` as ``{"a": {"b": …}}``."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from _leaves(f"{path}.{name}", item)
    elif isinstance(value, list):
        yield path, ",".join(map(str, value))
    else:
        yield path, str(value).lower()
