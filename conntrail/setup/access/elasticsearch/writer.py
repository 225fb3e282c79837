"""Puts roles into Elasticsearch and makes API keys there."""

from collections.abc import Callable
from typing import Final

from elasticsearch import ApiError, Elasticsearch, TransportError

from conntrail.setup.access.elasticsearch.plan import AccessPlan
from conntrail.setup.access.elasticsearch.reader import refusal
from runtime.elasticsearch import client_options
from runtime.settings import ElasticsearchSettings

_PATIENCE_SECONDS: Final = 30.0


def write_access(settings: ElasticsearchSettings, plan: AccessPlan, keep: Callable[[str, str], None]) -> None:
    """Do what the plan says. Raises CommandError when refused.

    ``keep`` is given the name and the encoded key of each as it is made: Elasticsearch tells it this once.
    """
    with Elasticsearch(**client_options(settings), request_timeout=_PATIENCE_SECONDS) as client:
        try:
            for name, privileges in plan.roles.items():
                client.security.put_role(name=name, **privileges)
            for name, privileges in plan.keys.items():
                answer = client.security.create_api_key(name=name, role_descriptors={name: privileges})
                keep(name, str(answer["encoded"]))
        except (ApiError, TransportError) as error:
            raise refusal(settings, error) from error
