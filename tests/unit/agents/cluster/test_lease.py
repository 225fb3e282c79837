"""Who may publish, decided without a clock of its own."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.cluster.lease.claim import Claim, Terms, lease_body, released_body

_SECOND = 1_000_000_000
_TERMS = Terms("conntrail", "lease", "me", 15.0)
_NOW = "2026-01-01T00:00:00.000000Z"


def _lease(holder: str, version: str = "1") -> dict[str, Any]:
    return {
        "metadata": {"name": "lease", "resourceVersion": version},
        "spec": {"holderIdentity": holder, "leaseDurationSeconds": 15, "leaseTransitions": 4},
    }


def test_a_lease_that_is_not_there_is_made() -> None:
    assert Claim(_TERMS).step(None, 0) == "create"


def test_anothers_lease_is_taken_once_it_has_not_changed_for_its_duration() -> None:
    claim = Claim(_TERMS)
    assert claim.step(_lease("other"), 0) == "wait"
    assert claim.step(_lease("other", "2"), 14 * _SECOND) == "wait"
    assert claim.step(_lease("other", "2"), 29 * _SECOND) == "wait"
    assert claim.step(_lease("other", "2"), 30 * _SECOND) == "take"


def test_a_lease_that_was_given_back_is_taken_at_once() -> None:
    given = released_body(_TERMS, _lease("other"), _NOW)
    assert Claim(_TERMS).step(given, 0) == "take"


def test_who_holds_it_stops_before_others_may_take_it() -> None:
    claim = Claim(_TERMS)
    claim.note_held(0)
    assert claim.held_term(9 * _SECOND)
    assert not claim.held_term(10 * _SECOND)


def test_a_lost_lease_is_lost_at_once() -> None:
    claim = Claim(_TERMS)
    claim.note_held(0)
    claim.note_lost()
    assert not claim.held_term(1)


def test_renewing_goes_on_with_the_term_even_after_a_lapse_that_nobody_used() -> None:
    claim = Claim(_TERMS)
    assert claim.step(None, 0) == "create"
    claim.note_held(0)
    term = claim.held_term(1)
    assert claim.step(_lease("me"), 3 * _SECOND) == "renew"
    claim.note_held(3 * _SECOND)
    assert claim.held_term(4 * _SECOND) == term
    assert claim.held_term(60 * _SECOND) == 0
    assert claim.step(_lease("me"), 60 * _SECOND) == "renew"
    claim.note_held(60 * _SECOND)
    assert claim.held_term(61 * _SECOND) == term


@pytest.mark.parametrize("back", ["", "me"])
def test_who_has_the_lease_again_after_another_had_it_is_in_another_term(back: str) -> None:
    """Between the two looks the other may have published, so what was known before counts no more."""
    claim = Claim(_TERMS)
    claim.step(None, 0)
    claim.note_held(0)
    term = claim.held_term(1)
    assert claim.step(_lease("other", "2"), _SECOND) == "wait"
    claim.note_lost()
    assert claim.step(_lease(back, "3"), 2 * _SECOND) == ("renew" if back else "take")
    claim.note_held(2 * _SECOND)
    assert claim.held_term(3 * _SECOND) > term


def test_who_finds_the_lease_free_though_it_was_its_own_is_in_another_term() -> None:
    claim = Claim(_TERMS)
    claim.step(None, 0)
    claim.note_held(0)
    term = claim.held_term(1)
    assert claim.step(_lease("", "9"), _SECOND) == "take"
    claim.note_held(_SECOND)
    assert claim.held_term(2 * _SECOND) > term


_STEPS = st.lists(st.tuples(st.sampled_from(["one", "two"]), st.integers(1, 8), st.booleans()), max_size=60)


@given(_STEPS)
def test_two_replicas_never_hold_it_at_once(steps: list[tuple[str, int, bool]]) -> None:
    """Whatever the order of their requests, and whichever of them fail: the API server refuses a stale version."""
    terms = {name: Terms("conntrail", "lease", name, 15.0) for name in ("one", "two")}
    claims = {name: Claim(terms[name]) for name in terms}
    lease: dict[str, Any] | None = None
    now = version = 0
    for name, seconds, does_answer in steps:
        now += seconds * _SECOND
        step = claims[name].step(lease, now)
        if step == "wait":
            claims[name].note_lost()
        else:
            version += 1
            lease = lease_body(terms[name], lease, step, _NOW)
            lease["metadata"]["resourceVersion"] = str(version)
            if does_answer:
                claims[name].note_held(now)
        assert sum(claim.held_term(now) > 0 for claim in claims.values()) <= 1


def test_taking_counts_a_transition_and_keeps_the_version_that_makes_a_race_a_conflict() -> None:
    body = lease_body(_TERMS, _lease("other", "7"), "take", _NOW)
    assert body["metadata"]["resourceVersion"] == "7"
    assert (body["spec"]["holderIdentity"], body["spec"]["leaseTransitions"]) == ("me", 5)
    assert lease_body(_TERMS, _lease("me"), "renew", _NOW)["spec"]["leaseTransitions"] == 4
