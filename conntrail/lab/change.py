"""Objects that are added, replaced or removed while the lab runs, as an API server would keep them."""

from collections.abc import Iterable, Iterator

from conntrail.lab.cluster import Object
from conntrail.lab.identity import uid_of
from conntrail.lab.kind import qualified_kind

_Key = tuple[str, str, str]


def without(given: Iterable[Object], gone: Iterable[Object]) -> list[Object]:
    """The objects that are left."""
    keys = {key_of(value) for value in gone}
    return [value for value in given if key_of(value) not in keys]


def as_stored(given: Iterable[Object], added: Iterable[Object], built_at: str, now: str) -> Iterator[Object]:
    """A new object begins ``now``, a replaced one stays what it is in another generation. Times in RFC 3339.

    ``built_at``: when the lab was built, and with it all objects that do not say otherwise. Without a beginning of its
    own a policy would seem to have held since then.
    """
    earlier = {key_of(value): value["metadata"] for value in given}
    for value in added:
        key = key_of(value)
        before = earlier.get(key)
        kind, namespace, name = key
        facts = (
            {"creationTimestamp": now, "uid": uid_of(kind, namespace, name + now), "generation": 1}
            if before is None
            else {
                "creationTimestamp": before.get("creationTimestamp", built_at),
                "uid": before.get("uid", uid_of(kind, namespace, name)),
                "generation": before.get("generation", 1) + 1,
            }
        )
        yield {**value, "metadata": {**value["metadata"], **facts}}


def key_of(value: Object) -> _Key:
    """Qualified kind, namespace and name."""
    return (
        qualified_kind(value["apiVersion"], value["kind"]),
        value["metadata"].get("namespace", ""),
        value["metadata"]["name"],
    )
