"""The answer to "may A talk to B": verdict, contributing rules, the nearest miss, readiness, and what to change."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from conntrail.policy.cluster.snapshot import Pod, Service, Snapshot
from conntrail.policy.explain.target import Target, destination_port, port_of
from conntrail.policy.history.replay import of_family
from conntrail.policy.words.label import given_labels
from streams.policy.describe import describe_policy_name, describe_rule
from streams.policy.evaluate import evaluate
from streams.policy.miss import is_default_deny, miss_of, miss_words
from streams.policy.policy_set import PolicySet
from streams.policy.question import Direction, Question
from streams.policy.trace import DEFAULT_RULE, Hit, Side, SideAction, Trace

MAXIMUM_PAIRS = 400
"""Pairs of pods that are judged; larger workloads are judged by some of their pods, and it is said."""
_RANK: dict[SideAction, int] = {"deny": 3, "unknown": 2, "allow": 1, "none": 0}


@dataclass(frozen=True, slots=True)
class Case:
    """One pair of ends that differs from others in its answer."""

    question: Question
    trace: Trace
    pairs: int
    """How many pairs of ends get this answer."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether somebody is there to answer."""

    words: tuple[str, ...]
    is_answering: bool


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked besides the ends."""

    protocol: str
    port: str
    """Number or name."""
    domains: tuple[str, ...] = ()
    http: tuple[str, str] | None = None
    """Method and path."""


def ask(source: Target, destination: Target, request: Request) -> list[Question]:
    """Every pair of ends. Raises CommandError for a port that the destination does not have."""
    wanted, protocol = request.port, request.protocol
    if destination.service is not None:
        found = destination_port(destination.service, wanted, protocol)
        wanted = found.target or str(found.port)
    questions = []
    for there in destination.ends:
        number = port_of(wanted, there.pod, protocol)
        named = replace(there, domains=request.domains or None) if there.endpoint is None else there
        questions += [
            Question(of_family(here, there), of_family(named, here), protocol, number, request.http)
            for here in source.ends
        ]
    return questions


def within_bounds(questions: list[Question]) -> list[Question]:
    """Pairs spread evenly over all of them, so that many alike pods do not hide one that differs."""
    step = -(-len(questions) // MAXIMUM_PAIRS) or 1
    return questions[::step]


def judge(questions: list[Question], policies: PolicySet) -> list[Case]:
    """Pairs with the same answer together, the worst answer first."""
    cases: dict[tuple[str, ...], Case] = {}
    for question in questions:
        trace = evaluate(policies, question)
        key = (trace.verdict, *(str(hit) for side in (trace.egress, trace.ingress) for hit in side.hits))
        known = cases.get(key)
        cases[key] = Case(question, trace, 1) if known is None else replace(known, pairs=known.pairs + 1)
    return sorted(cases.values(), key=lambda case: -_RANK[case.trace.verdict])


def sides_of(case: Case) -> Iterator[tuple[Direction, Side, Side]]:
    """Direction, what is enforced, what is pending."""
    yield "egress", case.trace.egress, case.trace.pending_egress
    yield "ingress", case.trace.ingress, case.trace.pending_ingress


def side_words(direction: Direction, side: Side, question: Question) -> list[str]:
    """What one direction says and why, one sentence a line."""
    end = question.source if direction == "egress" else question.destination
    if side.action == "none":
        who = "is outside the cluster" if end.endpoint is None else "is selected by no policy"
        who = (
            who if end.pod is not None or end.endpoint is None else "is on the node's network, which no policy selects"
        )
        return [f"{direction}: the {'source' if direction == 'egress' else 'destination'} {who}: nothing forbids it"]
    lines = [f"{direction}: {_hit_words(hit, direction)}" for hit in side.hits]
    if is_default_deny(side):
        miss = miss_of(side, question, direction)
        lines.append(f"{direction}: nearest: {miss_words(miss)}")
    return lines


def suggestions(case: Case) -> list[str]:
    """What to change so that it is allowed."""
    found = []
    for direction, side, _pending in sides_of(case):
        if side.action != "deny":
            continue
        if not is_default_deny(side):
            names = ", ".join(describe_policy_name(hit.policy) for hit in side.hits if hit.action == "deny")
            found.append(f"{direction}: {names} denies it by a rule: put an allowing rule before it, or narrow it")
            continue
        miss = miss_of(side, case.question, direction)
        policy = describe_policy_name(side.hits[-1].policy)
        peer = _peer_words(case.question, direction)
        port = f"{case.question.protocol} {case.question.port}"
        if miss is None:
            found.append(f"{direction}: add a rule to {policy} that allows {peer} on {port}")
        else:
            name, parts = describe_policy_name(miss.policy), " and ".join(dict.fromkeys(miss.parts))
            nearest = f"nearest is rule {miss.rule.index}, whose {parts} does not fit"
            found.append(f"{direction}: add a rule to {name} that allows {peer} on {port} ({nearest})")
    return found


def readiness(destination: Target) -> Readiness:
    """Of a Service's endpoints, or of the pods themselves."""
    if destination.service is not None:
        return service_readiness(destination.service)
    return _pod_readiness(destination.pods)


def nodes_of(source: Target, destination: Target) -> list[str]:
    """Names of the nodes concerned."""
    names = {end.node_name for target in (source, destination) for end in target.ends}
    return sorted(name for name in names if name)


def node_words(name: str, snapshot: Snapshot) -> str:
    """Whether a node is ready."""
    node = snapshot.nodes.get(name)
    if node is None:
        return f"node {name} is not known to the cluster"
    return f"node {name} is ready" if node.is_ready else f"node {name} is NOT ready"


def service_readiness(service: Service) -> Readiness:
    """Whether anything answers behind a Service, and where its ports lead."""
    # A pod with addresses of both families stands in two slices.
    backends = {backend.pod or backend.addresses: backend.is_ready for backend in service.backends}
    ready = sum(backends.values())
    told = " (by its selector: no EndpointSlice is known)" if service.is_guessed else ""
    words = [f"Service {service.key} has {ready} of {len(backends)} endpoints ready{told}"]
    words += [
        f"{port.protocol} {port.port} leads to port {port.target or port.port} of the pods" for port in service.ports
    ]
    return Readiness(tuple(words), ready > 0)


def _pod_readiness(pods: tuple[Pod, ...]) -> Readiness:
    if not pods:
        return Readiness((), is_answering=True)
    ready = sum(pod.is_ready for pod in pods)
    waiting = ", ".join(f"{pod.key} ({pod.phase or 'no phase'})" for pod in pods if not pod.is_ready)
    words = f"{ready} of {len(pods)} destination pods ready" + (f"; not ready: {waiting}" if waiting else "")
    return Readiness((words,), ready > 0)


def _hit_words(hit: Hit, direction: Direction) -> str:
    name = describe_policy_name(hit.policy)
    if hit.action == "unknown":
        return f"{name} cannot be decided: {'; '.join(hit.policy.faults) or 'a part depends on what is not known'}"
    if hit.rule == DEFAULT_RULE:
        return f"{name} isolates the pod, and none of its {len(hit.policy.rules(direction) or ())} rules allows it"
    rule = next((item for item in hit.policy.rules(direction) or () if item.index == hit.rule), None)
    return f"{name} rule {hit.rule}: {describe_rule(rule, direction) if rule else hit.action}"


def _peer_words(question: Question, direction: Direction) -> str:
    end = question.peer(direction)
    if end.pod is not None:
        labels = ",".join(f"{key}={value}" for key, value in given_labels(end.pod.labels).items())
        return f"pods with {labels or 'no labels'} in namespace {end.pod.namespace}"
    if end.endpoint is not None:
        return f"{end.endpoint.kind} {end.endpoint.name} by its addresses {', '.join(end.endpoint.addresses)}"
    return "that address (ipBlock)"
