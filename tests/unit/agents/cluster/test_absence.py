"""When a kind that an API server does not serve is held to be gone."""

from agents.cluster.watch.absence import GONE_SECONDS, Absence


def test_a_kind_is_gone_once_when_it_was_missing_all_the_time() -> None:
    absence = Absence()
    times = (0.0, 20.0, GONE_SECONDS - 1, GONE_SECONDS, GONE_SECONDS + 20)
    assert [absence.begin_or_go_on(now) for now in times] == [False, False, False, True, False]


def test_one_that_came_back_in_between_begins_anew() -> None:
    absence = Absence()
    absence.begin_or_go_on(0)
    absence.end()
    assert not absence.begin_or_go_on(GONE_SECONDS)
    assert absence.begin_or_go_on(2 * GONE_SECONDS)


def test_one_that_was_gone_and_came_back_can_go_again() -> None:
    absence = Absence()
    absence.begin_or_go_on(0)
    assert absence.begin_or_go_on(GONE_SECONDS)
    absence.end()
    absence.begin_or_go_on(100)
    assert absence.begin_or_go_on(100 + GONE_SECONDS)
