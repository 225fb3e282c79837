"""The engine's store in memory, which knows what has changed since it was last written down."""

from collections.abc import Iterator, Mapping, MutableMapping


class ChangedStore(MutableMapping[str, bytes]):
    """Entries by key. Not thread-safe."""

    def __init__(self, entries: Mapping[str, bytes]) -> None:
        self._entries = dict(entries)
        self._changed: dict[str, bytes | None] = {}

    @property
    def changes(self) -> int:
        """Entries to be written."""
        return len(self._changed)

    def take_changes(self) -> dict[str, bytes | None]:
        """What each changed entry is now, None where it is gone."""
        changed, self._changed = self._changed, {}
        return changed

    def __getitem__(self, key: str) -> bytes:
        return self._entries[key]

    def __setitem__(self, key: str, value: bytes) -> None:
        self._entries[key] = self._changed[key] = value

    def __delitem__(self, key: str) -> None:
        del self._entries[key]
        self._changed[key] = None

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)
