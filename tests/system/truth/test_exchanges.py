"""Every DNS question, HTTP request and TLS hello of the lab's programs is told, counted and timed as they saw it."""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable
from statistics import fmean, median
from typing import Any, Final

import pytest

from conntrail.observe.condition import values_at
from tests.support.observed import Document, Observed, dump, is_root
from tests.support.pipeline import run_command
from tests.support.truth import Truth, by_flow, first

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(not is_root(), reason="network namespaces need root"),
    pytest.mark.timeout(400),
]
CLOSE_RATIO: Final = 0.5
"""Of the client's measure, which the node's is at least: what both wait for is the server."""
NEVER_NS: Final = 1e20
ANSWER_NS: Final = 1e7
UNNAMED: Final = ("192.0.2.10", "2001:db8:ffff::10")
Groups = dict[Hashable, list[Document]]


def grouped(documents: Iterable[Document], key: Callable[[Document], Hashable]) -> Groups:
    groups: Groups = defaultdict(list)
    for document in documents:
        groups[key(document)].append(document)
    return groups


def of_layer(run: Observed, layer: str) -> list[Document]:
    return [fact for fact in run.lab.exchanges() if fact["layer"] == layer]


def counts(groups: Groups) -> dict[Hashable, int]:
    return {key: sum(document["conntrail"]["count"] for document in found) for key, found in groups.items()}


def differing(facts: Groups, documents: Groups) -> dict[Hashable, tuple[int, int]]:
    """Where truth and documents count differently: (truth, documents)."""
    told = counts(documents)
    both = {key: (len(facts.get(key, [])), told.get(key, 0)) for key in {*facts, *told}}
    return {key: found for key, found in both.items() if found[0] != found[1]}


def mean_us(documents: list[Document]) -> float:
    total = sum(first(d, "conntrail.latency.mean_us") * d["conntrail"]["count"] for d in documents)
    return float(total) / sum(d["conntrail"]["count"] for d in documents)


def first_answers(run: Observed) -> dict[str, float]:
    """When each client had its first answer of DNS: from then on its look-ups are known to be seen."""
    answered: dict[str, float] = {}
    for fact in of_layer(run, "dns"):
        if fact["latency_us"] is not None:
            at_ns = fact["started_at_ns"] + fact["latency_us"] * 1000
            answered[fact["source_address"]] = min(at_ns, answered.get(fact["source_address"], NEVER_NS))
    return answered


def assert_close(facts: Groups, documents: Groups) -> None:
    """No node measures more than the client's kernel, whose measure lies around its own; most measure nearly as much.

    Neither depends on when a program was given a processor: a server that waited for one was slow to both.
    """
    ratios = []
    for key, group in facts.items():
        measured = [fact["latency_us"] for fact in group if fact["latency_us"] is not None]
        if not measured:
            assert all(first(d, "conntrail.latency.mean_us") is None for d in documents[key]), key
            continue
        slowest = max(first(document, "conntrail.latency.max_us") for document in documents[key])
        assert slowest <= max(measured) + 1, key
        assert mean_us(documents[key]) <= fmean(measured) + 1, key
        ratios.append(mean_us(documents[key]) / max(fmean(measured), 1))
    assert median(ratios) > CLOSE_RATIO, sorted(ratios)


@pytest.fixture(scope="module")
def questions(run: Observed) -> tuple[Groups, Groups]:
    """Truth and documents by client, transport, name, type and code."""
    facts = of_layer(run, "dns")
    documents = run.exchanges("logs-conntrail.dns", lambda document: "dns" in document, len(facts))
    return (
        grouped(facts, lambda f: (f["client"]["pod"], f["protocol"], f["name"], f["type"], f["code"])),
        grouped(
            documents,
            lambda d: (
                first(d, "source.kubernetes.pod.name"),
                first(d, "network.transport"),
                first(d, "dns.question.name"),
                first(d, "dns.question.type"),
                first(d, "dns.response_code"),
            ),
        ),
    )


@pytest.fixture(scope="module")
def requests(run: Observed) -> tuple[Groups, Groups]:
    """Truth and documents by client, method, host, path template and status."""
    facts = of_layer(run, "http")
    documents = run.exchanges("logs-conntrail.l7", lambda document: "http" in document, len(facts))
    return (
        grouped(
            facts,
            lambda f: (
                f["client"]["pod"],
                f["method"],
                f["host"],
                f["template"].replace("{uuid}", "{id}"),
                f["status"],
            ),
        ),
        grouped(
            documents,
            lambda d: (
                first(d, "source.kubernetes.pod.name"),
                first(d, "http.request.method"),
                first(d, "url.domain"),
                first(d, "url.path"),
                first(d, "http.response.status_code") or 0,
            ),
        ),
    )


@pytest.fixture(scope="module")
def flows(run: Observed) -> list[tuple[Document, list[Document]]]:
    """Connections of the truth that are found, with their documents; test_truth says that all are."""
    facts, found = run.truth(), by_flow(run.flows())
    truth = Truth(facts, found)
    pairs = [(fact, truth.flows_of(fact)) for fact in facts]
    return [(fact, found[next(iter(identities))]) for fact, identities in pairs if len(identities) == 1]


def test_nothing_was_cut(run: Observed) -> None:
    for dataset in ("logs-conntrail.dns", "logs-conntrail.l7"):
        cut = [document for document in run.documents(dataset) if first(document, "event.action") == "cut"]
        # The lab's programs send to port 53 what is no DNS, too.
        assert not [d for d in cut if not str(first(d, "event.reason")).endswith(" not understood")], dump(cut)
        assert {first(document, "flow.coverage") for document in cut} <= {"complete"}


def test_every_question_is_counted_with_its_name_type_and_code(questions: tuple[Groups, Groups]) -> None:
    facts, documents = questions
    assert {key[-1] for key in facts if isinstance(key, tuple)} == {"NOERROR", "NXDOMAIN", "SERVFAIL", "TIMEOUT"}
    assert not differing(facts, documents)


def test_questions_take_as_long_as_their_client_measured(questions: tuple[Groups, Groups]) -> None:
    facts, documents = questions
    datagrams = {key: group for key, group in facts.items() if group[0]["protocol"] == "udp"}
    assert_close(datagrams, documents)


def test_answers_are_those_that_the_client_got(questions: tuple[Groups, Groups]) -> None:
    facts, documents = questions
    for key, group in facts.items():
        got = {answer for fact in group for answer in fact["answers"]}
        told = {answer for document in documents[key] for answer in values_at(document, "dns.resolved_ip")}
        assert told <= got, key
        assert told or not got, key
        cut = sum(first(document, "conntrail.truncated") or 0 for document in documents[key])
        assert cut == sum(fact["is_truncated"] for fact in group), key


def test_every_request_is_counted_with_its_template_and_status(requests: tuple[Groups, Groups]) -> None:
    facts, documents = requests
    assert {key[-1] for key in facts if isinstance(key, tuple)} == {200, 404, 500}
    assert not differing(facts, documents)


def test_requests_take_as_long_as_their_client_measured(requests: tuple[Groups, Groups]) -> None:
    assert_close(*requests)


def test_a_request_leads_to_its_trace(requests: tuple[Groups, Groups]) -> None:
    facts, documents = requests
    for key, group in documents.items():
        identities = {fact["request_id"] for fact in facts[key]}
        traces = {fact["trace_parent"].split("-")[1] for fact in facts[key]}
        assert {first(document, "http.request.id") for document in group} <= identities, key
        assert {first(document, "trace.id") for document in group} <= traces, key
        assert {first(document, "user_agent.original") for document in group} <= {f["user_agent"] for f in facts[key]}


def test_every_server_name_is_told_with_what_was_offered(run: Observed) -> None:
    facts = of_layer(run, "tls")
    documents = run.exchanges("logs-conntrail.l7", lambda document: "tls" in document, len(facts))
    told = grouped(
        documents,
        lambda d: (
            first(d, "source.kubernetes.pod.name"),
            first(d, "tls.client.server_name"),
            tuple(values_at(d, "conntrail.tls.alpn")),
        ),
    )
    assert not differing(grouped(facts, lambda f: (f["client"]["pod"], f["sni"], tuple(f["alpn"]))), told)
    assert all(str(first(document, "conntrail.tls.ja4")).startswith("t13d") for document in documents), dump(documents)


def test_a_flow_bears_the_name_that_was_looked_up_first(flows: list[tuple[Document, list[Document]]]) -> None:
    # A pod that asks by IPv4 and calls by IPv6 is two clients to its node.
    named = [(fact, documents) for fact, documents in flows if fact["domain"] and fact["family"] == "ipv4"]
    assert len({fact["domain"] for fact, _ in named}) >= 3
    faults = [
        {"wanted": fact["domain"], **document}
        for fact, documents in named
        for document in documents
        if first(document, "destination.domain") != fact["domain"]
    ]
    assert not faults, f"{len(faults)}: {dump(faults)}"


def test_an_address_outside_that_was_never_looked_up_is_told(
    run: Observed, flows: list[tuple[Document, list[Document]]]
) -> None:
    outside = [
        (fact, documents) for fact, documents in flows if fact["dialled_address"].startswith(("192.0.2.", "2001:"))
    ]
    assert {fact["dialled_address"] for fact, _ in outside} > set(UNNAMED)
    watched_since = first_answers(run)
    for fact, documents in outside:
        if fact["started_at_ns"] < watched_since.get(fact["source_address"], NEVER_NS) + ANSWER_NS:
            continue  # until a client's DNS is seen nothing is said of what it looked up
        wanted = fact["dialled_address"] in UNNAMED
        assert {bool(first(d, "destination.unnamed")) for d in documents} == {wanted}, dump([fact, *documents])


def test_flows_bear_the_protocol_that_was_spoken(run: Observed, flows: list[tuple[Document, list[Document]]]) -> None:
    spoken = {(f["source_address"], f["source_port"]): f["layer"] for f in run.lab.exchanges()}
    faults = []
    for fact, documents in flows:
        layer = spoken.get((fact["source_address"], fact["source_port"]))
        if layer and layer not in {first(document, "network.protocol") for document in documents}:
            faults.append({"wanted": layer, **fact, "found": documents})
    # On a crowded machine the kernel may show a head only after its connection was reported.
    assert len(faults) <= len(flows) / 100, f"{len(faults)} of {len(flows)}: {dump(faults)}"


def test_the_terminal_shows_what_a_workload_asked_and_called(run: Observed) -> None:
    words = ["observe", "-t", "dns", "-t", "l7", "--from-workload", "shop/frontend", "--since", "1h", "-o", "jsonl"]
    for source in ("elasticsearch", "kafka"):
        answer = run_command(run.environment(), *words, "--source", source)
        assert answer.returncode == 0, answer.stderr
        found: list[dict[str, Any]] = [json.loads(line) for line in answer.stdout.splitlines()]
        datasets = Counter(document["event"]["dataset"] for document in found)
        assert datasets.keys() == {"conntrail.dns", "conntrail.l7"}
        assert {first(document, "source.kubernetes.workload.name") for document in found} == {"frontend"}
        stamps = [document["@timestamp"] for document in found]
        assert stamps == sorted(stamps)
