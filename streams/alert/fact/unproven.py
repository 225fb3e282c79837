"""Which edges never worked, by source: they go first where a source has too many. Only keys: most edges work."""

from streams.alert.signal.end import End
from streams.alert.state.edge import EdgeState


class UnprovenEdges:
    """Keys of edges, those of one source in the order in which they were heard of last."""

    def __init__(self) -> None:
        self._by_source: dict[End, dict[str, None]] = {}

    def note(self, key: str, state: EdgeState) -> None:
        """An edge was heard of."""
        self.forget(key, state.source)
        if not state.worked:
            self._by_source.setdefault(state.source, {})[key] = None

    def forget(self, key: str, source: End) -> None:
        """An edge is no more, or has worked."""
        keys = self._by_source.get(source)
        if keys is not None:
            keys.pop(key, None)
            if not keys:
                del self._by_source[source]

    def oldest(self, source: End) -> str | None:
        """The one longest unheard of; None when all edges of a source have worked."""
        return next(iter(self._by_source.get(source, ())), None)
