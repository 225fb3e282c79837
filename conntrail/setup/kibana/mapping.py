"""Which fields the documents of a dataset have: what its index template and those that it is composed of say."""

from collections.abc import Iterator, Mapping
from typing import Any

from streams.index.template import ClusterFeatures, component_templates, index_templates

_FEATURES = ClusterFeatures(has_logsdb=True, has_lifecycle=True)


def mapped_types(dataset: str) -> dict[str, str]:
    """Elasticsearch's type of each field, by its whole name."""
    components, own = component_templates(_FEATURES), index_templates(_FEATURES)[dataset]
    parts = [components[name] for name in own["composed_of"] if name in components]
    return {name: kind for part in (*parts, own) for name, kind in _leaves("", part["template"]["mappings"])}


def _leaves(path: str, mapping: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, body in mapping.get("properties", {}).items():
        whole = f"{path}{name}"
        if "properties" in body:
            yield from _leaves(f"{whole}.", body)
        else:
            yield whole, body["type"]
