"""Asks the API server: lists, watches, and single requests. Foreign exceptions end here."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import msgspec
import urllib3
from kubernetes import client, config
from kubernetes.config import ConfigException

from agents.cluster.api.event import StreamError, WatchEvent, parse_event, split_lines
from agents.cluster.api.fault import fault_of
from agents.cluster.record.kind import KINDS, Kind
from agents.cluster.record.value import items, text
from agents.errors import ExpiredError, MissingError, ReadError, RightsError

Object = Mapping[str, Any]
Query = list[tuple[str, str]]
_PAGE_OBJECTS: Final = 500
_MAXIMUM_PAGES: Final = 4000
"""Two million objects: more than etcd can hold."""
_CONNECT_SECONDS: Final = 5.0
_ANSWER_SECONDS: Final = 60.0
_WATCH_SECONDS: Final = 300
_MARGIN_SECONDS: Final = 30.0
_CHUNK_BYTES: Final = 64 << 10
_REMEMBERED_SECONDS: Final = 5.0
_GONE: Final = 410
_GOOD: Final = range(200, 300)
# The client has no types of its own.
_load_file: Callable[..., None] = config.load_kube_config
_load_service_account: Callable[..., None] = config.load_incluster_config


class KubernetesApi:
    """One API server. Inert until ``start``; may be used by several threads."""

    def __init__(self, kubeconfig: str) -> None:
        self._kubeconfig = kubeconfig
        self._client: client.ApiClient | None = None
        self._streams: set[urllib3.HTTPResponse] = set()
        self._lock = threading.Lock()
        self._resources: dict[str, tuple[float, frozenset[str]]] = {}

    def start(self) -> None:
        """Find credentials. Raises RightsError when there are none."""
        configuration = client.Configuration()
        try:
            self._load(configuration)
        except (ConfigException, OSError, ValueError, TypeError) as error:
            raise RightsError(
                "no credentials for a Kubernetes API server: run in a cluster with a service account, or name a file "
                f"with --kubeconfig ({str(error).splitlines()[0]})"
            ) from error
        # Each watch holds a connection, and the lease and the lists need some.
        configuration.connection_pool_maxsize = len(KINDS) + 5
        configuration.retries = False
        configuration.keep_alive = True
        self._client = client.ApiClient(configuration)

    def list_objects(self, kind: Kind) -> tuple[list[Object], str]:
        """All objects of a kind, and the version to watch from.

        Raises MissingError when the server has no such kind, or serves the same objects by a better one; ReadError or
        RightsError else.
        """
        self._require(kind)
        found: list[Object] = []
        follow = ""
        for _ in range(_MAXIMUM_PAGES):
            query = [("limit", str(_PAGE_OBJECTS)), *([("continue", follow)] if follow else [])]
            page = self.request("GET", kind.path, ("list", kind.resource), query)
            # Items of a list do not repeat what they are.
            names = {"kind": kind.name, "apiVersion": kind.api_version}
            found += [{**_lean(item), **names} for item in _items(page, kind)]
            before, follow = follow, text(page, "metadata", "continue")
            if follow and follow == before:
                break
            if not follow:
                return found, _version(page, kind)
        raise ReadError(f"list {kind.resource}: its pages do not end")

    def watch(self, kind: Kind, version: str, note_open: Callable[[], None]) -> Iterator[WatchEvent]:
        """Changes after a version, bookmarks too, until the server ends the watch. ``note_open``: it has begun.

        Raises ExpiredError when the server does not know the version any more, ReadError or RightsError else.
        """
        query = [
            ("watch", "1"),
            ("allowWatchBookmarks", "true"),
            ("resourceVersion", version),
            ("timeoutSeconds", str(_WATCH_SECONDS)),
        ]
        stream = self._open("GET", kind.path, query, None, _WATCH_SECONDS + _MARGIN_SECONDS)
        with self._lock:
            self._streams.add(stream)
        try:
            if stream.status not in _GOOD:
                raise fault_of(stream.status, stream.read(), "watch", kind.resource)
            note_open()
            for line in split_lines(stream.stream(_CHUNK_BYTES)):
                event = parse_event(line)
                if event.type == "ERROR":
                    error = ExpiredError if event.code == _GONE else ReadError
                    raise error(f"watch {kind.resource}: {event.reason}")
                yield event
        except (urllib3.exceptions.HTTPError, OSError, StreamError) as error:
            raise ReadError(f"watch {kind.resource}: {error}") from error
        finally:
            with self._lock:
                self._streams.discard(stream)
            stream.close()

    def request(
        self, method: str, path: str, asked: tuple[str, str], query: Query, body: Object | None = None
    ) -> dict[str, Any]:
        """One answer. ``asked``: verb and resource, for the error. Raises ReadError or RightsError."""
        response = self._open(method, path, query, body, _ANSWER_SECONDS)
        try:
            data = response.read()
            found = msgspec.json.decode(data) if response.status in _GOOD else None
        except (urllib3.exceptions.HTTPError, OSError, msgspec.DecodeError, RecursionError) as error:
            raise ReadError(f"{asked[0]} {asked[1]}: {error}") from error
        finally:
            response.release_conn()
        if response.status not in _GOOD:
            raise fault_of(response.status, data, *asked)
        if not isinstance(found, dict):
            raise ReadError(f"{asked[0]} {asked[1]}: the answer is no object")
        return found

    def date(self) -> str:
        """The API server's clock, as its answers tell it (header Date); empty where they do not. Raises ReadError."""
        response = self._open("GET", "/version", [], None, _ANSWER_SECONDS)
        try:
            return str(response.headers.get("date", ""))
        finally:
            response.drain_conn()
            response.release_conn()

    @property
    def host(self) -> str:
        """URL of the API server, once started."""
        assert self._client is not None, "start comes first"
        return str(self._client.configuration.host)

    def is_served(self, group_version: str, plural: str) -> bool:
        """Whether the API server has a resource of ``group/version``. Raises ReadError or RightsError."""
        return plural in self._served(group_version)

    def _require(self, kind: Kind) -> None:
        """Look an extension up before it is asked for: who has no right to what is not there is told of the right."""
        if not kind.is_extension:
            return
        if not self.is_served(kind.api_version, kind.plural):
            raise MissingError(f"the API server has no {kind.resource} of version {kind.version}")
        if kind.rather and self.is_served(kind.rather, kind.plural):
            raise MissingError(f"{kind.resource} are followed as those of {kind.rather}")

    def _served(self, group_version: str) -> frozenset[str]:
        """Names of the resources of a group; remembered for a moment, since many kinds ask at once."""
        with self._lock:
            known = self._resources.get(group_version)
        if known is not None and time.monotonic() - known[0] < _REMEMBERED_SECONDS:
            return known[1]
        try:
            page = self.request("GET", f"/apis/{group_version}", ("find", group_version), [])
        except MissingError:
            page = {}
        served = frozenset(text(item, "name") for item in items(page, "resources"))
        with self._lock:
            self._resources[group_version] = (time.monotonic(), served)
        return served

    def interrupt(self) -> None:
        """End all watches, whichever thread reads them."""
        with self._lock:
            for stream in self._streams:
                try:
                    stream.shutdown()
                except (OSError, ValueError, RuntimeError):
                    # It has ended by itself meanwhile.
                    continue

    def _load(self, configuration: client.Configuration) -> None:
        if self._kubeconfig:
            _load_file(self._kubeconfig, client_configuration=configuration, persist_config=False)
            return
        try:
            _load_service_account(client_configuration=configuration)
        except ConfigException:
            _load_file(client_configuration=configuration, persist_config=False)

    def _open(
        self, method: str, path: str, query: Query, body: Object | None, read_seconds: float
    ) -> urllib3.HTTPResponse:
        assert self._client is not None, "start comes first"
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        try:
            request = self._client.param_serialize(
                method, path, query_params=query, header_params=headers, body=body, auth_settings=["BearerToken"]
            )
            answer = self._client.call_api(*request, _request_timeout=(_CONNECT_SECONDS, read_seconds))
        except ConfigException as error:
            raise RightsError(f"credentials cannot be renewed: {error}") from error
        except (client.ApiException, urllib3.exceptions.HTTPError, OSError) as error:
            host = self._client.configuration.host
            raise ReadError(f"the API server at {host} does not answer: {_words(error)}") from error
        response: urllib3.HTTPResponse = answer.response
        return response


def _items(page: Object, kind: Kind) -> list[dict[str, Any]]:
    found = page.get("items")
    if found is None:
        # Go writes an empty list so.
        return []
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise ReadError(f"list {kind.resource}: the answer is no list of objects")
    return found


def _version(page: Object, kind: Kind) -> str:
    """Raise ReadError without one: that is no listing, though it looks like an empty one, which deletes everything."""
    found = text(page, "metadata", "resourceVersion")
    if not found:
        raise ReadError(f"list {kind.resource}: the answer has no resourceVersion")
    return found


def _lean(item: Object) -> Object:
    """Without what takes half of an object and names nothing."""
    metadata = item.get("metadata")
    if isinstance(metadata, dict):
        metadata.pop("managedFields", None)
    return item


def _words(error: Exception) -> str:
    reason = getattr(error, "reason", None) or error
    return str(reason).splitlines()[0][:300]
