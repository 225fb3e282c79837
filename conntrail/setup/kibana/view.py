"""Data views: which indices, how values are shown, and what each field means."""

from collections.abc import Mapping
from typing import Any, Final

from conntrail.setup.kibana.model import FieldNote, View
from conntrail.setup.kibana.saved_object import SavedObject, object_id, text

_FORMATS: Final[Mapping[str, dict[str, Any]]] = {
    "bytes": {"id": "bytes", "params": {"pattern": "0,0.[0]b"}},
    "count": {"id": "number", "params": {"pattern": "0,0"}},
    "us": {"id": "duration", "params": {"inputFormat": "microseconds", "outputFormat": "humanizePrecise",
                                        "outputPrecision": 1, "useShortSuffix": True}},
    "ns": {"id": "duration", "params": {"inputFormat": "nanoseconds", "outputFormat": "humanizePrecise",
                                        "outputPrecision": 1, "useShortSuffix": True}},
}  # fmt: skip


def data_view(view: View, notes: Mapping[str, FieldNote], mapped: frozenset[str]) -> SavedObject:
    """Of one dataset, over all installations and days; ``mapped`` are the fields that its documents have."""
    own = {name: note for name, note in sorted(notes.items()) if name in mapped}
    attributes = {
        "allowHidden": False,
        "fieldAttrs": text({name: _attributes(note) for name, note in own.items()}),
        "fieldFormatMap": text({name: _FORMATS[note.unit] for name, note in own.items() if note.unit}),
        "fields": "[]",
        "name": view.name,
        "runtimeFieldMap": "{}",
        "sourceFilters": "[]",
        "timeFieldName": "@timestamp",
        "title": f"{view.dataset}-*",
        "typeMeta": "{}",
    }
    return SavedObject("index-pattern", object_id(view.id), attributes)


def _attributes(note: FieldNote) -> dict[str, str]:
    """``customDescription`` is shown since Kibana 8.15; earlier ones keep it and say nothing."""
    label = {"customLabel": note.label} if note.label else {}
    return {**label, "customDescription": note.about}
