"""All Services of a cluster, and what leads to them when."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import polars as pl

from streams.metadata.directory import SERVICES
from streams.metadata.numbering import Numbering
from streams.metadata.service import Dialled, Service, ServiceLife, dialled

Record = Mapping[str, Any]
_FORGOTTEN: Final = Service("", "", "", (), (), 0, 0)


class ServiceBook:
    """Takes in Services."""

    def __init__(self) -> None:
        self._numbering = Numbering(_FORGOTTEN)
        self._lives: dict[str, ServiceLife] = {}
        self._current: dict[str, str] = {}
        self._unused: list[int] = []
        self._frame: pl.DataFrame | None = None

    @property
    def services(self) -> Sequence[Service]:
        """By index."""
        return self._numbering.values

    def take(self, key: str, record: Record) -> None:
        """Take in a record. A Service made again under the same name is another one."""
        identity = record["uid"] or key
        before = self._lives.get(self._current.get(key, identity))
        life = self._lives.setdefault(identity, ServiceLife())
        if before is not None and before is not life and before.deleted_at_ns is None:
            before.deleted_at_ns = record["created_at_ns"] or record["observed_at_ns"]
        self._current[key] = identity
        life.take(record)
        self._frame = None

    def end(self, key: str, at_ns: int) -> None:
        """Say that a Service is gone, which no record told."""
        life = self._lives.get(self._current.get(key, ""))
        if life is not None and life.deleted_at_ns is None:
            life.deleted_at_ns = at_ns
            self._frame = None

    def forget_before(self, at_ns: int) -> None:
        """Drop what ended by an instant."""
        over = [
            identity
            for identity, life in self._lives.items()
            if life.deleted_at_ns is not None and life.deleted_at_ns < at_ns
        ]
        self._unused += [number for identity in over for number, _ in self._lives.pop(identity).numbered]
        for life in self._lives.values():
            life.states.forget_before(at_ns)
            self._number(life)
        self._current = {key: identity for key, identity in self._current.items() if identity in self._lives}
        self._frame = None
        self._numbering.give_back(self._unused)
        self._unused = []

    def frame(self) -> pl.DataFrame:
        """SERVICES, without overlaps: of two Services that claim the same, the later one has it from its begin on."""
        if self._frame is None:
            self._frame = _without_overlaps(pl.DataFrame(list(self._dialled()), schema=SERVICES, orient="row"))
        return self._frame

    def _dialled(self) -> Iterator[Dialled]:
        for life in self._lives.values():
            self._number(life)
            for number, state in life.numbered:
                yield from dialled(state, number)

    def _number(self, life: ServiceLife) -> None:
        """Give every state a number; one whose end alone changed keeps its own."""
        known = {_meaning(state): number for number, state in life.numbered}
        life.numbered = []
        for state in life.timed():
            number = known.pop(_meaning(state), None)
            if number is None:
                number = self._numbering.add(state)
            self._numbering.values[number] = state
            life.numbered.append((number, state))
        self._unused += known.values()


def _meaning(state: Service) -> tuple[object, ...]:
    return state.valid_from_ns, state.addresses, state.ports


def _without_overlaps(rows: pl.DataFrame) -> pl.DataFrame:
    keys = ["address", "port", "protocol"]
    following = pl.col("valid_from_ns").shift(-1).over(keys)
    return (
        rows.sort(*keys, "valid_from_ns", "valid_to_ns", "service_index")
        .with_columns(pl.min_horizontal("valid_to_ns", following).alias("valid_to_ns"))
        .filter(pl.col("valid_from_ns") < pl.col("valid_to_ns"))
    )
