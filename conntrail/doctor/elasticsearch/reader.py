"""Asks Elasticsearch what it is, which of our templates it has, and which privileges we have; nothing is written."""

import time
from collections.abc import Mapping
from typing import Any, Final

from elasticsearch import ApiError, Elasticsearch, TransportError

from conntrail.doctor.clock import Sighting
from conntrail.doctor.elasticsearch.judge import ElasticsearchFacts
from conntrail.errors import CommandError
from conntrail.setup.change import Change
from conntrail.setup.template.plan import plan_objects, wanted_objects
from conntrail.setup.template.reader import ClusterReader
from runtime.elasticsearch import client_options
from runtime.settings import ElasticsearchSettings, IndexSettings
from streams.index.privilege import Privileges

_PATIENCE_SECONDS: Final = 10.0
_HEADERS: Final = {"accept": "application/json", "content-type": "application/json"}
_MS: Final = 1000
_UNKNOWN_KEY: Final = 401
_REFUSED: Final = 403


def read_elasticsearch(
    settings: ElasticsearchSettings, index: IndexSettings, wanted: Mapping[str, Privileges]
) -> ElasticsearchFacts:
    """``wanted``: privileges by role. Raises CommandError when it does not answer or does not know our key."""
    changes = _read_changes(settings, index)
    client = Elasticsearch(**client_options(settings), request_timeout=_PATIENCE_SECONDS)
    try:
        version, clock = _read_nodes(client)
        held = {name: _read_held(client, privileges) for name, privileges in wanted.items()}
    except ApiError as error:
        raise CommandError(f"Elasticsearch at {settings.hosts} answers {error.status_code}: {error.message}") from error
    except TransportError as error:
        raise CommandError(f"Elasticsearch at {settings.hosts} does not answer any more: {error.message}") from error
    finally:
        client.close()
    has_users = any(answer is not None for answer in held.values())
    known = {name: answer for name, answer in held.items() if answer is not None}
    return ElasticsearchFacts(settings.hosts, version, clock, has_users, known, changes)


def _read_changes(settings: ElasticsearchSettings, index: IndexSettings) -> tuple[Change, ...] | None:
    """None where we may not look. The first question: that nobody answers is told in its words."""
    reader = ClusterReader(settings)
    try:
        wanted = wanted_objects(reader.features(index.logsdb), index)
        return tuple(plan_objects(wanted, reader.objects(wanted)))
    except (ApiError, CommandError) as error:
        cause = error.__cause__ if isinstance(error, CommandError) else error
        if isinstance(cause, ApiError) and cause.status_code == _REFUSED:
            return None
        if error is cause:
            raise CommandError(f"Elasticsearch at {settings.hosts} answers: {error}") from error
        raise
    finally:
        reader.close()


def _read_nodes(client: Elasticsearch) -> tuple[str, Sighting | None]:
    """Version and clock of a node; empty and None where we may not ask."""
    try:
        version = _of_a_node(client, "/_nodes/_local?filter_path=nodes.*.version", "version")
        asked_at = time.time()
        said = _of_a_node(client, "/_nodes/_local/stats/os?filter_path=nodes.*.timestamp", "timestamp")
    except ApiError as error:
        if error.status_code != _REFUSED:
            raise
        return "", None
    clock = Sighting(said / _MS, 1 / _MS, asked_at, time.time()) if isinstance(said, int) else None
    return str(version or ""), clock


def _of_a_node(client: Elasticsearch, path: str, name: str) -> object:
    answer = client.perform_request("GET", path, headers=_HEADERS)
    nodes = answer.body.get("nodes") if isinstance(answer.body, dict) else None
    found = next(iter(nodes.values()), None) if isinstance(nodes, dict) else None
    return found.get(name) if isinstance(found, dict) else None


def _read_held(client: Elasticsearch, wanted: Privileges) -> dict[str, Any] | None:
    """None where there are no users, and so no privileges."""
    body = {
        "cluster": wanted["cluster"],
        "index": [{"names": one["names"], "privileges": one["privileges"]} for one in wanted["indices"]],
    }
    try:
        return dict(client.perform_request("POST", "/_security/user/_has_privileges", headers=_HEADERS, body=body))
    except ApiError as error:
        if error.status_code in (_UNKNOWN_KEY, _REFUSED):
            raise
        return None
