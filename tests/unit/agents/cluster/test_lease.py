"""Who may publish, decided without a clock of its own."""

from typing import Any

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
    assert claim.is_held(9 * _SECOND)
    assert not claim.is_held(10 * _SECOND)


def test_a_lost_lease_is_lost_at_once() -> None:
    claim = Claim(_TERMS)
    claim.note_held(0)
    claim.note_lost()
    assert not claim.is_held(1)


def test_taking_counts_a_transition_and_keeps_the_version_that_makes_a_race_a_conflict() -> None:
    body = lease_body(_TERMS, _lease("other", "7"), "take", _NOW)
    assert body["metadata"]["resourceVersion"] == "7"
    assert (body["spec"]["holderIdentity"], body["spec"]["leaseTransitions"]) == ("me", 5)
    assert lease_body(_TERMS, _lease("me"), "renew", _NOW)["spec"]["leaseTransitions"] == 4
