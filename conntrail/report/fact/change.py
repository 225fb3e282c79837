"""Who changed policies: what became different, and the requests behind it, refused ones too."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from conntrail.policy.history.document import Body, time_ms
from conntrail.report.fact.bounded import Bounded
from streams.policy.compile import POLICY_KINDS

MAXIMUM_CHANGES: Final = 10_000
WRITES: Final = ("create", "update", "patch", "delete", "deletecollection")
_REFERENTS: Final = frozenset({"Namespace", "Tier", "NetworkSet", "GlobalNetworkSet"})
"""Objects by whose labels, order or members policies select."""
KINDS: Final = tuple(sorted({kind.lower() for kinds in POLICY_KINDS.values() for kind in kinds | _REFERENTS}))
"""As documents name them."""
RESOURCES: Final = tuple(
    sorted({*KINDS, *(f"{kind.removesuffix('y')}ies" if kind.endswith("y") else f"{kind}s" for kind in KINDS)})
)
"""The same with the plurals of the API, by which the audit log names what no kind is known of."""
AuditKey = tuple[int, str]


@dataclass(frozen=True, slots=True)
class Change:
    """An object that policies are made of became different."""

    at_ms: int
    kind: str
    object: str
    """namespace/name."""
    action: str
    by: str
    """Empty when not known."""
    before: str
    after: str
    workloads: tuple[str, ...]
    """Whom it touches."""

    def merge(self, other: "Change", /) -> None:
        """The same change told again."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request to change such an object."""

    at_ms: int
    user: str
    verb: str
    resource: str
    object: str
    status: int
    """HTTP; 0 when not known."""
    decision: str
    """allow, forbid, or empty."""
    addresses: tuple[str, ...]
    agent: str

    def merge(self, other: "Request", /) -> None:
        """The same request told again."""


class ChangeBook:
    """Changes and requests in any order in, in order of time out; the first are kept where there are too many."""

    def __init__(self, maximum: int = MAXIMUM_CHANGES) -> None:
        self._changes: Bounded[AuditKey, Change] = Bounded(maximum)
        self._requests: Bounded[AuditKey, Request] = Bounded(maximum)

    def add_change(self, body: Body) -> None:
        """Take one document of provider ``conntrail`` in."""
        change = change_of(body)
        self._changes.add((change.at_ms, str(body["event"].get("id", ""))), change)

    def add_request(self, body: Body) -> None:
        """Take one document of the audit log in."""
        request = request_of(body)
        self._requests.add((request.at_ms, str(body["event"].get("id", ""))), request)

    def changes(self) -> Iterable[Change]:
        """By time."""
        return (change for _, change in self._changes.items())

    def requests(self) -> Iterable[Request]:
        """By time."""
        return (request for _, request in self._requests.items())

    @property
    def has_more(self) -> bool:
        """Whether there was no room for some."""
        return self._changes.rest() is not None or self._requests.rest() is not None


def change_of(body: Body) -> Change:
    """What a document tells."""
    change = body.get("change", {})
    return Change(
        at_ms=time_ms(body["@timestamp"]),
        kind=_resource(body, "type"),
        object=_object(body),
        action=str(body["event"].get("action", "")),
        by=str(body.get("user", {}).get("name", "")),
        before=str(change.get("from", "")),
        after=str(change.get("to", "")),
        workloads=_texts(body.get("related", {}).get("workloads")),
    )


def request_of(body: Body) -> Request:
    """What a document tells."""
    kubernetes = body.get("kubernetes", {})
    return Request(
        at_ms=time_ms(body["@timestamp"]),
        user=str(body.get("user", {}).get("name", "")),
        verb=str(body["event"].get("action", "")),
        resource=_resource(body, "type"),
        object=_object(body),
        status=int(body.get("http", {}).get("response", {}).get("status_code", 0)),
        decision=str(kubernetes.get("audit", {}).get("decision", "")),
        addresses=_texts(body.get("source", {}).get("ip")),
        agent=str(body.get("user_agent", {}).get("original", "")),
    )


def _resource(body: Body, name: str) -> str:
    return str(body["orchestrator"].get("resource", {}).get(name, ""))


def _object(body: Body) -> str:
    parts = (str(body["orchestrator"].get("namespace", "")), _resource(body, "name"))
    return "/".join(part for part in parts if part)


def _texts(value: object) -> tuple[str, ...]:
    """A list of one comes back from a synthetic source as its item."""
    values = value if isinstance(value, list) else [] if value is None else [value]
    return tuple(sorted(map(str, values)))
