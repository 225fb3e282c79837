"""Elasticsearch settings in its client's words. Pure: clients are built where they are used."""

from typing import Any
from urllib.parse import urlsplit

from runtime.settings import ElasticsearchSettings, SettingsError

_HOSTS = "CONNTRAIL_ELASTICSEARCH__HOSTS"
_SCHEMES = ("http", "https")


def client_options(settings: ElasticsearchSettings) -> dict[str, Any]:
    """Options that all clients have in common. Raises SettingsError for a host that is no URL with a port."""
    options: dict[str, Any] = {
        "hosts": [_checked(host.strip()) for host in settings.hosts.split(",")],
        "api_key": settings.api_key or None,
    }
    if settings.username:
        options["basic_auth"] = (settings.username, settings.password)
    if settings.ca_certs:
        options["ca_certs"] = settings.ca_certs
    return options


def _checked(host: str) -> str:
    try:
        parts = urlsplit(host)
        is_url = parts.scheme in _SCHEMES and parts.hostname and parts.port
    except ValueError:
        is_url = False
    if not is_url:
        shown = host.rpartition("@")[2][:100]
        raise SettingsError(f"{_HOSTS}: expected http://host:port or https://host:port, got {shown!r}")
    return host
