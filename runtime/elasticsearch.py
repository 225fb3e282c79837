"""Elasticsearch settings in its client's words. Pure: clients are built where they are used."""

from typing import Any
from urllib.parse import urlsplit

from runtime.settings import ElasticsearchSettings, SettingsError

_HOSTS = "CONNTRAIL_ELASTICSEARCH__HOSTS"
_PORTS = {"http": 80, "https": 443}


def client_options(settings: ElasticsearchSettings) -> dict[str, Any]:
    """Options that all clients have in common. Raises SettingsError for a host that is no URL."""
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
    """With its port, which the client wants to be told also where it is that of the scheme."""
    try:
        parts = urlsplit(host)
        port = _PORTS.get(parts.scheme) if parts.port is None else parts.port
    except ValueError:
        port = None
    if not port or parts.scheme not in _PORTS or not parts.hostname:
        shown = host.rpartition("@")[2][:100]
        raise SettingsError(f"{_HOSTS}: expected http://host:port or https://host:port, got {shown!r}")
    return host if parts.port else parts._replace(netloc=f"{parts.netloc.rstrip(':')}:{port}").geturl()
