"""Asks Elasticsearch which roles and API keys there are."""

from collections.abc import Sequence
from typing import Any, Final

from elasticsearch import ApiError, Elasticsearch, NotFoundError, TransportError

from conntrail.errors import CommandError
from conntrail.setup.access.elasticsearch.plan import KnownAccess, Privileges
from runtime.elasticsearch import client_options
from runtime.settings import ElasticsearchSettings

_PATIENCE_SECONDS: Final = 15.0
_REFUSED: Final = (401, 403)


def read_access(settings: ElasticsearchSettings, names: Sequence[str]) -> KnownAccess:
    """Roles and valid keys of these names. Raises CommandError, also where security is off."""
    with Elasticsearch(**client_options(settings), request_timeout=_PATIENCE_SECONDS) as client:
        try:
            return KnownAccess(roles=_roles(client, names), keys=_keys(client, names))
        except (ApiError, TransportError) as error:
            raise refusal(settings, error) from error


def refusal(settings: ElasticsearchSettings, error: ApiError | TransportError) -> CommandError:
    """What an error means for who sets up access."""
    at = f"Elasticsearch at {settings.hosts}"
    if isinstance(error, TransportError):
        return CommandError(f"{at} does not answer ({error.message}): set CONNTRAIL_ELASTICSEARCH__HOSTS")
    if error.status_code in _REFUSED:
        return CommandError(
            f"{at} refuses ({error.status_code}): be a user with the privilege manage_security by "
            "CONNTRAIL_ELASTICSEARCH__USERNAME and __PASSWORD; an API key cannot make others"
        )
    if "no handler found" in str(error) or "is not enabled" in str(error):
        return CommandError(f"{at} has its security off: set xpack.security.enabled on every node, then run this again")
    return CommandError(f"{at} does not take roles and keys ({error.status_code}): {error}")


def _roles(client: Elasticsearch, names: Sequence[str]) -> dict[str, Privileges]:
    try:
        return dict(client.security.get_role(name=list(names)).body)
    except NotFoundError:
        return {}


def _keys(client: Elasticsearch, names: Sequence[str]) -> dict[str, Privileges]:
    found: dict[str, Privileges] = {}
    for name in names:
        keys: list[dict[str, Any]] = client.security.get_api_key(name=name, owner=False)["api_keys"]
        for key in keys:
            if not key["invalidated"]:
                found[name] = next(iter(key.get("role_descriptors", {}).values()), {})
    return found
