"""New and young processes are looked at each time, others seldom, and none that has gone is remembered."""

from agents.node.socket.namespace.sighting import NOWHERE, Sightings


def look(sightings: Sightings, processes: dict[str, int], now: float) -> list[str]:
    due = sightings.due(list(processes), now)
    for process in due:
        sightings.note(process, processes[process], now)
    return due


def test_a_process_is_looked_at_in_its_first_moments_since_it_may_still_enter_its_pod() -> None:
    sightings = Sightings()
    look(sightings, {"7": 1}, 100.0)
    assert look(sightings, {"7": 2}, 100.5) == ["7"]
    assert sightings.namespaces() == {2: "7"}


def test_an_older_process_is_looked_at_seldom_and_found_where_it_went_all_the_same() -> None:
    sightings = Sightings()
    for now in (100.0, 101.0, 102.5):
        look(sightings, {"7": 1}, now)
    assert look(sightings, {"7": 2}, 103.0) == []
    assert look(sightings, {"7": 2}, 112.5) == ["7"]
    assert sightings.namespaces() == {2: "7"}


def test_a_new_process_is_looked_at_beside_older_ones() -> None:
    sightings = Sightings()
    for now in (100.0, 101.0, 102.5):
        look(sightings, {"7": 1}, now)
    assert look(sightings, {"7": 1, "8": 3}, 103.0) == ["8"]
    assert sightings.namespaces() == {1: "7", 3: "8"}


def test_a_process_that_ended_keeps_no_namespace() -> None:
    sightings = Sightings()
    look(sightings, {"7": 1, "8": 2}, 100.0)
    look(sightings, {"8": 2}, 100.5)
    assert sightings.namespaces() == {2: "8"}


def test_its_number_is_new_again_afterwards() -> None:
    sightings = Sightings()
    for now in (100.0, 103.0):
        look(sightings, {"7": 1}, now)
    look(sightings, {}, 104.0)
    assert look(sightings, {"7": 5}, 105.0) == ["7"]
    assert sightings.namespaces() == {5: "7"}


def test_a_process_that_may_not_be_looked_at_is_nowhere() -> None:
    sightings = Sightings()
    look(sightings, {"7": NOWHERE}, 100.0)
    assert sightings.namespaces() == {}
