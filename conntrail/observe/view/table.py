"""The types that can be asked for, and which one a document is of."""

from collections.abc import Mapping
from typing import Final

from conntrail.observe.render import Document, first
from conntrail.observe.view.activity import AUDIT_VIEW, EVENT_VIEW
from conntrail.observe.view.application import APPLICATION_VIEW
from conntrail.observe.view.dns import DNS_VIEW
from conntrail.observe.view.flow import FLOW_VIEW
from conntrail.observe.view.view import View

VIEWS: Final[Mapping[str, View]] = {
    "flow": FLOW_VIEW,
    "dns": DNS_VIEW,
    "l7": APPLICATION_VIEW,
    "event": EVENT_VIEW,
    "audit": AUDIT_VIEW,
}
"""By the word for ``--type``."""
_BY_DATASET: Final = {view.dataset.event_dataset: view for view in VIEWS.values()}


def view_of(document: Document) -> View:
    """By its dataset; what does not say is a flow."""
    return _BY_DATASET.get(str(first(document, "event.dataset")), FLOW_VIEW)
