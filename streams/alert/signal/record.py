"""Which function makes signals of which topic's records."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from streams.alert.signal.cluster import capture_signals, change_signals, event_signals, node_signals
from streams.alert.signal.edge import denial_signals, window_signals
from streams.alert.signal.exchange import dns_signals, l7_signals
from streams.alert.signal.signal import Place, Signal

_MAKERS: Final[Mapping[str, Callable[[Mapping[str, Any], Place | None], list[Any]]]] = MappingProxyType(
    {
        "windows": window_signals,
        "flows": window_signals,
        "denials": denial_signals,
        "dns": dns_signals,
        "l7": l7_signals,
        "changes": change_signals,
        "k8s.events": event_signals,
        "captures.status": capture_signals,
        "nodes": node_signals,
    }
)


def signals_of(topic: str, record: Mapping[str, Any], place: Place | None) -> list[Signal]:
    """Signals of a decoded record. ``topic``: without the prefix. Raises KeyError for one that tells none."""
    return _MAKERS[topic](record, place)
