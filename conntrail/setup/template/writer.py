"""Puts templates and policies into Elasticsearch, or into files for those who apply them by other means."""

import json
from collections.abc import Mapping
from pathlib import Path

from elasticsearch import ApiError, Elasticsearch, TransportError

from conntrail.errors import CommandError
from conntrail.setup.template.plan import Body, Kind, ObjectName
from runtime.elasticsearch import client_options
from runtime.settings import ElasticsearchSettings

_PATIENCE_SECONDS = 30.0
_PATHS: dict[Kind, str] = {
    "lifecycle policy": "/_ilm/policy/",
    "component template": "/_component_template/",
    "index template": "/_index_template/",
}
_FOLDERS: dict[Kind, str] = {
    "lifecycle policy": "lifecycle",
    "component template": "component",
    "index template": "index",
}
_HEADERS = {"accept": "application/json", "content-type": "application/json"}


def write_objects(settings: ElasticsearchSettings, objects: Mapping[ObjectName, Body]) -> None:
    """Put each, in order. Raises CommandError, naming the object, when Elasticsearch refuses."""
    with Elasticsearch(**client_options(settings), request_timeout=_PATIENCE_SECONDS) as client:
        for name, body in objects.items():
            try:
                client.perform_request("PUT", _PATHS[name.kind] + name.name, headers=_HEADERS, body=body)
            except (ApiError, TransportError) as error:
                raise CommandError(f"Elasticsearch refuses the {name.kind} {name.name}: {error}") from error


def write_files(directory: Path, objects: Mapping[ObjectName, Body]) -> None:
    """One JSON file each, in a folder a kind. Raises CommandError when they cannot be written."""
    try:
        for name, body in objects.items():
            path = directory / _FOLDERS[name.kind] / f"{name.name}.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(body, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{error.filename or directory} cannot be written: {error.strerror}") from error
