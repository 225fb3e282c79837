"""Entries in a store: written late, bounded, read again by another shelf."""

from collections.abc import Iterator, MutableMapping

import msgspec

from streams.alert.counters import AlertCounters
from streams.alert.state.average import Average
from streams.alert.state.shelf import Shelf, StorePlace


class Entry(msgspec.Struct, array_like=True):
    heard_ns: int
    text: str = ""


class CountingStore(MutableMapping[str, bytes]):
    """A table whose writes are dear."""

    def __init__(self) -> None:
        self.entries: dict[str, bytes] = {}
        self.writes = 0

    def __getitem__(self, key: str) -> bytes:
        return self.entries[key]

    def __setitem__(self, key: str, value: bytes) -> None:
        self.writes += 1
        self.entries[key] = value

    def __delitem__(self, key: str) -> None:
        del self.entries[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)


def shelf(store: MutableMapping[str, bytes], maximum: int = 3, name: str = "x") -> Shelf[Entry]:
    return Shelf(StorePlace(store, name, AlertCounters()), Entry, maximum, lambda entry: entry.heard_ns)


def test_what_changes_often_is_written_once() -> None:
    store = CountingStore()
    made = shelf(store)
    for at in range(100):
        made.put(made.key("a"), Entry(at))
    assert store.writes == 0
    assert made.flush() == store.writes == 1
    assert shelf(store).get("x/a") == Entry(99)


def test_the_one_longest_unheard_of_goes_and_is_told() -> None:
    store: dict[str, bytes] = {}
    made = shelf(store)
    for number, name in enumerate("abc"):
        made.put(made.key(name), Entry(number))
    made.flush()
    made.put(made.key("a"), Entry(9))
    assert made.put(made.key("d"), Entry(10)) == [("x/b", Entry(1))]
    assert "x/b" not in store
    assert list(made) == ["x/c", "x/a", "x/d"]


def test_another_shelf_goes_on_in_the_order_of_hearing() -> None:
    store: dict[str, bytes] = {}
    made = shelf(store)
    for at, name in ((5, "a"), (3, "b"), (4, "c")):
        made.put(made.key(name), Entry(at))
    made.flush()
    again = shelf(store)
    assert list(again) == ["x/b", "x/c", "x/a"]
    assert again.drop_before(5) == [("x/b", Entry(3)), ("x/c", Entry(4))]
    assert list(store) == ["x/a"]


def test_shelves_of_one_store_do_not_meet() -> None:
    store: dict[str, bytes] = {}
    one, other = shelf(store, name="x"), shelf(store, name="xy")
    one.put(one.key("a"), Entry(1))
    other.put(other.key("a"), Entry(2))
    one.flush()
    other.flush()
    assert (len(shelf(store, name="x")), len(shelf(store, name="xy"))) == (1, 1)


def test_an_entry_of_an_earlier_version_is_read_with_defaults_and_one_that_is_none_begins_anew() -> None:
    store = {"x/a": msgspec.msgpack.encode([7]), "x/b": b"\xc1", "x/c": msgspec.msgpack.encode(["seven"])}
    counters = AlertCounters()
    made = Shelf(StorePlace(store, "x", counters), Entry, 3, lambda entry: entry.heard_ns)
    assert made.get("x/a") == Entry(7)
    assert len(made) == 1
    assert counters.unreadable == 2


def test_a_baseline_is_silent_at_first_then_follows() -> None:
    average = Average()
    for window in range(1, 5):
        average.teach(10, window)
    assert average.rise(30, 1) is None
    average.teach(10, 5)
    average.teach(1000, 5)
    assert average.rise(30, 1) == 3
    assert average.rise(30, 60) == 0.5
    for window in range(6, 60):
        average.teach(30, window)
    assert 29 < average.mean <= 30
