"""``--field-mask``: the fields of a document that are asked for, and nothing else."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, Final

from conntrail.observe.condition import Document, FilterError
from streams.index import dataset as datasets
from streams.index.template import searchable

_MOST_DEPTH = 16
_OF_TYPES: Final = {
    "flow": searchable(datasets.FLOW),
    "dns": searchable(datasets.DNS),
    "l7": searchable(datasets.L7),
    "event": searchable(datasets.EVENT),
    "audit": searchable(datasets.AUDIT),
}
FIELDS: Final = tuple(sorted({field for fields in _OF_TYPES.values() for field in fields}))
"""Of whatever can be shown."""


def parse_mask(texts: Iterable[str], types: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    """Paths of fields that documents of some types have, dotted and separated by commas. Raises FilterError."""
    known = {field: kind for name in types for field, kind in _OF_TYPES[name].items()}
    paths = [path.strip() for text in texts for path in text.split(",")]
    for path in paths:
        if not _is_field(path, known) or path.count(".") >= _MOST_DEPTH:
            raise FilterError(f"--field-mask {path!r}: {_meant(path, known)}")
    return tuple(dict.fromkeys(tuple(path.split(".")) for path in paths))


def _is_field(path: str, known: Mapping[str, str]) -> bool:
    """A field, what fields are below, or a key of a flattened one."""
    if path in known or any(field.startswith(f"{path}.") for field in known):
        return True
    return any(kind == "flattened" and path.startswith(f"{field}.") for field, kind in known.items())


def _meant(path: str, known: Mapping[str, str]) -> str:
    """Fields that may have been meant: those that are spelt alike, else those that end alike."""
    last = path.rpartition(".")[2]
    near = get_close_matches(path, known, n=3) or [field for field in known if last and field.endswith(f".{last}")][:3]
    if near:
        return f"there is no such field: did you mean {' or '.join(near)}?"
    return "there is no such field: docs/fields.md names all, as source.ip"


def masked(document: Document, paths: Iterable[tuple[str, ...]]) -> dict[str, Any]:
    """Those fields of a document, with all that is below them; absent ones are left out."""
    below: dict[str, list[tuple[str, ...]]] = {}
    for name, *rest in paths:
        below.setdefault(name, []).append(tuple(rest))
    found: dict[str, Any] = {}
    for name, rests in below.items():
        if name in document:
            value = document[name]
            if () in rests:
                found[name] = value
            elif part := _masked_below(value, rests):
                found[name] = part
    return found


def _masked_below(value: Any, rests: list[tuple[str, ...]]) -> Any:
    """Of a list what is left of each, as Elasticsearch reads one; keys of labels hold dots."""
    if isinstance(value, list):
        return [part for item in value if (part := _masked_below(item, rests))]
    if not isinstance(value, Mapping):
        return None
    whole = {name: value[name] for rest in rests if (name := ".".join(rest)) in value}
    return {**masked(value, rests), **whole}
