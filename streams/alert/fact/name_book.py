"""By which name an outside address was found last, as answers of DNS tell: windows carry no names."""

from typing import Final

import msgspec

from streams.alert.fact.domain_name import is_internal
from streams.alert.signal.signal import DnsSignal
from streams.alert.state.shelf import Shelf

MAXIMUM_NAMES: Final = 20_000
_REFRESHED_NS: Final = 3600 * 10**9
_TYPES: Final = frozenset("0123456789abcdef.:")


class NameState(msgspec.Struct, array_like=True):
    """Of one address."""

    heard_ns: int
    domain: str


class NameBook:
    """Addresses outside by their text."""

    def __init__(self, shelf: Shelf[NameState], cluster_domain: str) -> None:
        self._shelf = shelf
        self._cluster_domain = cluster_domain

    def note(self, signal: DnsSignal) -> None:
        """An answer names addresses."""
        if signal.code != "NOERROR" or is_internal(signal.name, self._cluster_domain):
            return
        for answer in signal.answers:
            if _TYPES.issuperset(answer):
                self._note(answer, signal)

    def domain_of(self, address: str) -> str:
        """Empty when not known."""
        state = self._shelf.get(self._shelf.key(address))
        return state.domain if state else ""

    def _note(self, address: str, signal: DnsSignal) -> None:
        key = self._shelf.key(address)
        known = self._shelf.get(key)
        if known is None or known.domain != signal.name or known.heard_ns < signal.end_ns - _REFRESHED_NS:
            self._shelf.put(key, NameState(signal.end_ns, signal.name))
