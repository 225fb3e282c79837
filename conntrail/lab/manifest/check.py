"""Checks Kubernetes objects, so that all that comes after may rely on their form.

What is wrong is told in one line by file, object and field; kinds that the lab does not know are left out and told.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from conntrail.errors import CommandError
from conntrail.lab.cluster import Object
from conntrail.lab.kind import CLUSTER_WIDE, REFUSED, qualified_kind
from conntrail.lab.manifest.admin import AdminSpec, BaselineSpec, ClusterSpec, check_admin_policy
from conntrail.lab.manifest.annotation import check_annotations
from conntrail.lab.manifest.calico import CalicoSpec, NetworkSetSpec, check_calico
from conntrail.lab.manifest.kind import SPECS, check_version
from conntrail.lab.manifest.name import check_name, check_namespace
from conntrail.lab.manifest.parse import Source
from conntrail.lab.manifest.policy import check_policy
from conntrail.lab.manifest.schema import (
    CronJobSpec,
    JobSpec,
    Metadata,
    PolicySpec,
    ReplicationControllerSpec,
    TemplateMetadata,
    WorkloadSpec,
)
from conntrail.lab.selector import matches

_PLAIN: Final = re.compile(r"[A-Za-z0-9./-]{1,300}")
_WITHOUT_SPEC: Final = frozenset({"Node", "Namespace"})
_DEFAULT_NAMESPACE: Final = "default"
"""Of an object that names none, or an empty one."""


@dataclass(frozen=True, slots=True)
class Checked:
    """Objects of known kinds, each with a namespace where its kind has one, and without nulls."""

    objects: list[Object]
    left_out: Mapping[str, int]
    """How many there are of each kind that the lab does not know."""


def checked(found: Iterable[tuple[Source, Object]]) -> Checked:
    """Raises CommandError for the first object that is malformed, or there twice."""
    objects: dict[tuple[str, str, str], Object] = {}
    places: dict[tuple[str, str, str], str] = {}
    left_out: Counter[str] = Counter()
    for source, value in found:
        group, kind = _kind(source, value)
        if (group, kind) in REFUSED:
            raise CommandError(f"{source.path}: object {source.number}: the lab enforces no {kind} of {group}")
        if (group, kind) not in SPECS:
            left_out[f"{kind}.{group}" if group else kind] += 1
            continue
        known = _object(source, kind, value, SPECS[group, kind])
        key = (
            qualified_kind(value["apiVersion"], kind),
            known["metadata"].get("namespace", ""),
            known["metadata"]["name"],
        )
        if key in objects:
            raise CommandError(f"{source.path}: {_title(*key)} is there twice, also in {places[key]}")
        objects[key], places[key] = known, source.path
    return Checked(list(objects.values()), left_out)


def _kind(source: Source, value: Object) -> tuple[str, str]:
    for field in ("apiVersion", "kind"):
        if not isinstance(value.get(field), str) or not value[field]:
            raise CommandError(f"{source.path}: object {source.number}: {field} is missing, or no text")
        if not _PLAIN.fullmatch(value[field]):
            raise CommandError(f"{source.path}: object {source.number}: {field}: {value[field][:60]!r} is none")
    return value["apiVersion"].rpartition("/")[0], value["kind"]


def _object(source: Source, kind: str, value: Object, wanted: Any) -> Object:
    place = f"{source.path}: {kind} (object {source.number})"
    whole = _without_nulls(place, value)
    metadata = _convert(place, "metadata", whole.get("metadata"), Metadata)
    check_name(place, kind, metadata.name)
    namespace = "" if kind in _WITHOUT_SPEC | CLUSTER_WIDE else metadata.namespace or _DEFAULT_NAMESPACE
    if namespace:
        check_namespace(place, namespace)
        whole["metadata"]["namespace"] = namespace
    else:
        whole["metadata"].pop("namespace", None)
    if kind not in _WITHOUT_SPEC:
        place = f"{source.path}: {_title(qualified_kind(value['apiVersion'], kind), namespace, metadata.name)}"
        _check(place, metadata, _convert(place, "spec", _spec_of(kind, whole), wanted))
        check_version(place, whole["apiVersion"], kind)
    return whole


def _spec_of(kind: str, whole: Object) -> object:
    """A Tier needs none: its order is then the last."""
    return whole.setdefault("spec", {}) if kind == "Tier" else whole.get("spec")


def _check(place: str, metadata: Metadata, spec: Any) -> None:
    check_annotations(place, "metadata.annotations", metadata.annotations)
    if isinstance(spec, PolicySpec):
        check_policy(place, spec)
    if isinstance(spec, AdminSpec | BaselineSpec | ClusterSpec):
        check_admin_policy(place, metadata.name, spec)
    if isinstance(spec, CalicoSpec | NetworkSetSpec):
        check_calico(place, spec)
    if isinstance(spec, WorkloadSpec):
        _check_selector(place, msgspec.to_builtins(spec.selector), spec.template.metadata)
    if isinstance(spec, ReplicationControllerSpec):
        _check_selector(place, {"matchLabels": spec.selector or spec.template.metadata.labels}, spec.template.metadata)
    if isinstance(spec, WorkloadSpec | ReplicationControllerSpec | JobSpec):
        check_annotations(place, "spec.template.metadata.annotations", spec.template.metadata.annotations)
    if isinstance(spec, CronJobSpec):
        template = spec.job_template.spec.template.metadata
        check_annotations(place, "spec.jobTemplate.spec.template.metadata.annotations", template.annotations)


def _check_selector(place: str, selector: Mapping[str, Any], template: TemplateMetadata) -> None:
    """As the API server does: else a controller would make pods without end, finding none of them its own."""
    if not selector.get("matchLabels") and not selector.get("matchExpressions"):
        raise CommandError(f"{place}: spec.selector: it is empty, and would select every pod")
    if not matches(selector, template.labels):
        raise CommandError(f"{place}: spec.selector: it does not select spec.template.metadata.labels")


def _convert(place: str, field: str, value: object, wanted: Any) -> Any:
    if value is None:
        raise CommandError(f"{place}: {field} is missing")
    try:
        return msgspec.convert(value, wanted)
    except msgspec.ValidationError as error:
        text, _, path = " ".join(str(error).split()).partition(" - at `")
        path = path.rstrip("`").removeprefix("key in ").removeprefix("$")
        text = text.replace("Object contains unknown field", "the lab does not enforce the field")
        raise CommandError(f"{place}: {field}{path}: {text[:1].lower()}{text[1:]}") from None


def _without_nulls(place: str, value: Object) -> Object:
    """A null field is an absent one to the API server."""
    copied: Object = _copy(place, value, {})
    return copied


def _copy(place: str, part: Any, copies: dict[int, Any]) -> Any:
    """What aliases share stays shared, also with itself; ``copies`` by the identity of what was copied."""
    if id(part) in copies:
        return copies[id(part)]
    if isinstance(part, list):
        items: list[Any] = []
        copies[id(part)] = items
        items += [_copy(place, item, copies) for item in part]
        return items
    if isinstance(part, dict):
        fields: Object = {}
        copies[id(part)] = fields
        for key, item in part.items():
            if not isinstance(key, str):
                raise CommandError(f"{place}: the key {key} is no text: quote it")
            if item is not None:
                fields[key] = _copy(place, item, copies)
        return fields
    return part


def _title(kind: str, namespace: str, name: str) -> str:
    return f"{kind} {namespace}/{name}" if namespace else f"{kind} {name}"
