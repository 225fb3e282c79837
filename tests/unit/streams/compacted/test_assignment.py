import json

from streams.compacted.assignment import Assignment


def statistics(ends: dict[int, int]) -> str:
    partitions = {str(number): {"hi_offset": end} for number, end in ends.items()}
    return json.dumps({"topics": {"objects": {"partitions": {**partitions, "-1": {"hi_offset": -1001}}}}})


def test_the_version_grows_with_every_record_of_every_partition() -> None:
    assignment = Assignment("objects")
    assignment.add({0, 1})
    assignment.note_next(0, 5)
    assignment.note_next(1, 7)
    assignment.note_next(0, 3)
    assert assignment.version == 12


def test_a_partition_is_unread_until_its_end() -> None:
    assignment = Assignment("objects")
    assignment.add({0, 1})
    assignment.note_end(0, 0)
    assert assignment.unread == {1}


def test_statistics_tell_of_lag_and_of_partitions_that_were_added() -> None:
    assignment = Assignment("objects")
    assignment.add({0})
    assignment.note_next(0, 5)
    assignment.note_statistics(statistics({0: 8, 1: 2}))
    assert (assignment.missing(), assignment.lag) == ({1}, 5)
    assignment.add({1})
    assert assignment.missing() == set()
    assert assignment.positions == {0: 5, 1: 0}


def test_statistics_without_the_topic_tell_nothing() -> None:
    assignment = Assignment("objects")
    assignment.note_statistics("{}")
    assert (assignment.missing(), assignment.lag) == (set(), 0)
