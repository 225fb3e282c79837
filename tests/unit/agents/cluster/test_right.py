from agents.cluster.record.kind import KINDS
from agents.cluster.right import rights_of


def test_every_kind_that_is_published_is_listed_and_watched() -> None:
    granted = {(right.group, right.resource, verb) for right in rights_of(None) for verb in right.verbs}
    assert granted >= {(kind.group, kind.plural, verb) for kind in KINDS for verb in ("list", "watch")}


def test_what_is_asked_for_follows_the_settings() -> None:
    def granted(**options: bool) -> set[tuple[str, str]]:
        return {(right.title, verb) for right in rights_of(("own", ""), **options) for verb in right.verbs}

    assert ("events", "list") in granted()
    assert ("events", "create") not in granted()
    assert ("events", "list") not in granted(has_events=False)
    assert ("events", "create") in granted(makes_events=True)
    assert ("leases.coordination.k8s.io", "update") in granted()
    assert not [right for right in rights_of(None) if right.resource == "leases"]


def test_each_right_says_what_is_lost_without_it() -> None:
    assert all(right.lost for right in rights_of(makes_events=True))
