"""Asks an Elasticsearch cluster what it can do and which of our objects it has."""

from collections.abc import Iterable
from typing import Any, Literal

from elastic_transport import TlsError
from elasticsearch import ApiError, Elasticsearch, NotFoundError, TransportError

from conntrail.errors import CommandError
from conntrail.setup.template.licence import leaves_sources_away
from conntrail.setup.template.plan import Body, Kind, ObjectName
from runtime.elasticsearch import client_options
from runtime.reader import certificates
from runtime.settings import ElasticsearchSettings
from streams.index.template import ClusterFeatures

LogsdbChoice = Literal["auto", "on", "off"]
_PATIENCE_SECONDS = 15.0
_PATHS: dict[Kind, str] = {
    "lifecycle policy": "/_ilm/policy/",
    "component template": "/_component_template/",
    "index template": "/_index_template/",
}
_HEADERS = {"accept": "application/json", "content-type": "application/json"}
_PROBE = {"index_patterns": ["conntrail-probe-*"], "template": {"settings": {"index.mode": "logsdb"}}}


class ClusterReader:
    """Read-only questions; the dry run asks nothing else."""

    def __init__(self, settings: ElasticsearchSettings) -> None:
        self._hosts = settings.hosts
        if settings.ca_certs:
            certificates("CONNTRAIL_ELASTICSEARCH__CA_CERTS", settings.ca_certs)
        self._client = Elasticsearch(**client_options(settings), request_timeout=_PATIENCE_SECONDS)

    def features(self, logsdb: LogsdbChoice = "auto") -> ClusterFeatures:
        """What the cluster has beyond the core, and is to use. Raises CommandError when it does not answer."""
        return ClusterFeatures(
            has_logsdb=logsdb == "on" or (logsdb == "auto" and self._is_logsdb_smaller()),
            has_lifecycle=self._is_accepted("GET", "/_ilm/policy", None),
        )

    def _is_logsdb_smaller(self) -> bool:
        """Whether the cluster has the mode and may leave the original documents away."""
        if not self._is_accepted("POST", "/_index_template/_simulate", _PROBE):
            return False
        features, licence = self._answer("/_xpack"), self._answer("/_license")
        return features is not None and licence is not None and leaves_sources_away(features, licence)

    def objects(self, names: Iterable[ObjectName]) -> dict[ObjectName, Body]:
        """Those of the named objects that exist. Raises CommandError when the cluster does not answer."""
        found = ((name, self._object(name)) for name in names)
        return {name: body for name, body in found if body is not None}

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def _object(self, name: ObjectName) -> Body | None:
        try:
            answer = self._ask("GET", _PATHS[name.kind] + name.name, None)
        except NotFoundError:
            return None
        if name.kind == "lifecycle policy":
            return dict(answer[name.name])
        key = "component_templates" if name.kind == "component template" else "index_templates"
        inner = "component_template" if name.kind == "component template" else "index_template"
        return dict(answer[key][0][inner])

    def _answer(self, path: str) -> Body | None:
        """Empty when the cluster does not know the path; None when we may not ask."""
        try:
            return dict(self._ask("GET", path, None))
        except ApiError as error:
            return None if error.status_code in (401, 403) else {}

    def _is_accepted(self, method: str, path: str, body: Body | None) -> bool:
        try:
            self._ask(method, path, body)
        except ApiError as error:
            if error.status_code in (401, 403):
                raise CommandError(_refusal(self._hosts, error)) from error
            return False
        return True

    def _ask(self, method: str, path: str, body: Body | None) -> Any:
        try:
            return self._client.perform_request(method, path, headers=_HEADERS, body=body)
        except TlsError as error:
            advice = "check CONNTRAIL_ELASTICSEARCH__CA_CERTS"
            raise CommandError(f"Elasticsearch at {self._hosts} is not trusted ({error.message}): {advice}") from error
        except TransportError as error:
            raise CommandError(
                f"Elasticsearch at {self._hosts} does not answer ({error.message}): "
                "start one with conntrail local up, or set CONNTRAIL_ELASTICSEARCH__HOSTS"
            ) from error


def _refusal(hosts: str, error: ApiError) -> str:
    return (
        f"Elasticsearch at {hosts} refuses ({error.status_code}): CONNTRAIL_ELASTICSEARCH__API_KEY needs the "
        "privilege manage_index_templates, and manage_ilm for lifecycles"
    )
