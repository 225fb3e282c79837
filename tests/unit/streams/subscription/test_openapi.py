"""The OpenAPI document says what is served, and what alerts and filters are."""

from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from runtime.settings import ApiSettings, SettingsError, load_settings
from streams.notice.document import alert_document, silence_document
from streams.notice.notices import Notices
from streams.notice.selection import KINDS, SEVERITIES, STATUSES
from streams.notice.silence import MAXIMUM_SECONDS
from streams.subscription.counters import SubscriptionCounters
from streams.subscription.request import MAXIMUM_LIMIT
from streams.subscription.server import ApiServer, Parts, description
from streams.subscription.subscription import STARTS
from streams.subscription.writer import SilenceWriter
from tests.support.alerts import alert, silence

_NO_WRITER: Any = None


def _routes() -> set[tuple[str, str]]:
    parts = Parts(
        "test", ApiSettings(), Notices(), SilenceWriter(_NO_WRITER), SubscriptionCounters(CollectorRegistry())
    )
    routes = ApiServer(parts).application().router.routes()
    return {(route.resource.canonical, route.method.lower()) for route in routes if route.resource is not None}


def test_it_describes_every_route_and_no_other() -> None:
    described = {(path, method) for path, methods in description()["paths"].items() for method in methods}
    assert described == _routes()


def test_it_describes_every_field() -> None:
    schemas = description()["components"]["schemas"]
    assert schemas["Alert"]["properties"].keys() == alert_document(alert()).keys()
    assert schemas["Silence"]["properties"].keys() == silence_document(silence(), 0).keys()
    assert schemas["SilenceWish"]["properties"]["duration_seconds"]["maximum"] == MAXIMUM_SECONDS


def test_it_describes_every_filter_with_its_values() -> None:
    parameters = description()["components"]["parameters"]
    own = {"limit", "from", "position", "lastEventId", "id"}
    assert parameters.keys() - own == set(KINDS)
    assert tuple(parameters["severity"]["schema"]["items"]["enum"]) == SEVERITIES
    assert tuple(parameters["status"]["schema"]["items"]["enum"]) == (*STATUSES, "active")
    assert tuple(parameters["from"]["schema"]["enum"]) == STARTS
    assert parameters["limit"]["schema"]["maximum"] == MAXIMUM_LIMIT


def test_references_lead_somewhere() -> None:
    document = description()

    def references(value: Any) -> list[str]:
        if isinstance(value, dict):
            own = [value["$ref"]] if "$ref" in value else []
            return own + [found for item in value.values() for found in references(item)]
        return [found for item in value for found in references(item)] if isinstance(value, list) else []

    for reference in references(document):
        target = document
        for name in reference.removeprefix("#/").split("/"):
            target = target[name]


@pytest.mark.parametrize("address", ["0.0.0.0:80", "[::]:80", "nowhere", "127.0.0.1:x"])
def test_an_address_that_anybody_could_ask_needs_a_token(address: str) -> None:
    with pytest.raises(SettingsError, match="CONNTRAIL_API__ADDRESS"):
        load_settings({"CONNTRAIL_API__ADDRESS": address}, {})
