"""What tests of the index need: templates as setup makes them, a namespace of one's own, and reading back."""

import json
import urllib.error
import urllib.request
from typing import Any

from prometheus_client import CollectorRegistry

from conntrail.setup.template.plan import wanted_objects
from conntrail.setup.template.reader import ClusterReader
from conntrail.setup.template.writer import write_objects
from runtime.settings import ElasticsearchSettings
from streams.index.counters import IndexCounters
from streams.index.writer import IndexWriter

_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def ask(host: str, method: str, path: str, body: Any = None) -> dict[str, Any]:
    """One question to Elasticsearch, by nothing of ours."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(
        f"{host}/{path}", data=data, method=method, headers={"content-type": "application/json"}
    )
    with _OPENER.open(request, timeout=30) as answer:
        found: dict[str, Any] = json.loads(answer.read())
    return found


def put_templates(host: str) -> None:
    """As ``conntrail setup`` does."""
    settings = ElasticsearchSettings(hosts=host)
    reader = ClusterReader(settings)
    write_objects(settings, wanted_objects(reader.features()))
    reader.close()


def index_writer(host: str) -> tuple[IndexWriter, CollectorRegistry]:
    """A writer, and the registry of its figures."""
    registry = CollectorRegistry()
    return IndexWriter(ElasticsearchSettings(hosts=host), IndexCounters(registry)), registry


def sources(host: str, index: str, *, size: int = 1000) -> list[dict[str, Any]]:
    """Every document of an index pattern, refreshed."""
    ask(host, "POST", f"{index}/_refresh")
    hits = ask(host, "GET", f"{index}/_search?size={size}&version=true")["hits"]["hits"]
    return [{**hit["_source"], "_version": hit["_version"], "_id": hit["_id"]} for hit in hits]


def count(host: str, index: str) -> int:
    """How many documents, refreshed."""
    ask(host, "POST", f"{index}/_refresh")
    return int(ask(host, "GET", f"{index}/_count")["count"])
