"""The page of the documentation on fields, made from the mappings so that it cannot say otherwise."""

from collections.abc import Mapping
from typing import Final

from streams.index.cardinality import MEANINGS, bands
from streams.index.field import HEAD, TRAFFIC, Fields
from streams.index.template import fields_of

_HEAD: Final = """\
# Fields

Every field that can be searched, its type, and how many values it takes: that, not the number of documents, is what an
aggregation over it costs. What a field means stands in ECS where it has the field, else in the schema of its record
(`schemas/avro`). Fields of documents that are not here are kept and shown, but not searchable; a misspelt field matches
nothing and is no error.

This page is made by `python -m streams.index > docs/fields.md`.
"""


def page() -> str:
    """Markdown."""
    legend = [f"- **{band.value}**: {meaning}" for band, meaning in MEANINGS.items()]
    sections = {"Every document": HEAD, "Flows, windows, DNS and application exchanges": TRAFFIC, **_by_dataset()}
    tables = [_table(title, fields) for title, fields in sections.items()]
    return "\n".join([_HEAD, *legend, "", *tables])


def _by_dataset() -> Mapping[str, Fields]:
    return {f"`{template}-*`": fields for template, fields in fields_of().items()}


def _table(title: str, fields: Fields) -> str:
    rows = [f"| `{path}` | {fields[path]} | {band.value} |" for path, band in sorted(bands(fields).items())]
    return "\n".join([f"## {title}", "", "| field | type | values |", "|---|---|---|", *rows, ""])
