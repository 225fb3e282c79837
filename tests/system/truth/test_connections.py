"""Every connection that the lab's programs made is found once, named rightly, judged rightly and counted exactly."""

from collections import Counter, defaultdict

import pytest

from conntrail.observe.condition import values_at
from tests.support.observed import Document, Observed, dump, is_root
from tests.support.truth import Truth, by_flow, dialled_key, first
from tests.support.witness import Tracked, parse_listing

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(not is_root(), reason="network namespaces need root"),
    pytest.mark.timeout(400),
]
_COUNTS = [f"flow.connections.{name}" for name in ("started", "completed", "denied", "failed")]
FIGURES = ["network.bytes", "network.packets", "source.bytes", "destination.bytes", *_COUNTS]


@pytest.fixture(scope="module")
def pairs(run: Observed) -> list[tuple[Document, list[Document]]]:
    """Each connection of the truth with its documents; it is an error to have none, or two flows."""
    facts, flows = run.truth(), by_flow(run.flows())
    truth = Truth(facts, flows)
    found, faults = [], []
    for fact in facts:
        identities = truth.flows_of(fact)
        if len(identities) == 1:
            found.append((fact, flows[identities.pop()]))
        else:
            faults.append({"found": len(identities), **fact})
    assert not faults, f"{len(faults)} of {len(facts)} connections not found once: {dump(faults)}"
    return found


def test_there_was_traffic_of_every_kind(run: Observed) -> None:
    kinds = Counter((fact["protocol"], fact["family"], fact["expected"]) for fact in run.truth())
    for kind in (("tcp", "ipv4", "allowed"), ("tcp", "ipv6", "allowed"), ("udp", "ipv4", "allowed")):
        assert kinds[kind] >= 5
    for kind in (
        ("tcp", "ipv4", "denied"),
        ("tcp", "ipv6", "denied"),
        ("udp", "ipv4", "denied"),
        ("tcp", "ipv4", "refused"),
    ):
        assert kinds[kind] >= 3


def test_every_connection_is_found_once(pairs: list[tuple[Document, list[Document]]], run: Observed) -> None:
    assert len(pairs) == len(run.truth())


def test_the_client_is_named(pairs: list[tuple[Document, list[Document]]]) -> None:
    faults = []
    for fact, documents in pairs:
        client = fact["client"]
        for document in documents:
            named = (
                first(document, "source.kubernetes.namespace"),
                first(document, "source.kubernetes.pod.name"),
                first(document, "source.kubernetes.pod.uid"),
                first(document, "source.kubernetes.workload.name"),
            )
            if named != (client["namespace"], client["pod"], client["uid"], client["workload"]):
                faults.append({"named": named, "was": client, "at": first(document, "event.start")})
    assert not faults, dump(faults)


def test_the_service_that_was_dialled_is_named(pairs: list[tuple[Document, list[Document]]]) -> None:
    for fact, documents in pairs:
        for document in documents:
            name = first(document, "destination.service.name")
            named = f"{first(document, 'destination.service.namespace')}/{name}" if name else ""
            assert named == fact["service"], dump([fact, document])


def test_the_verdict_is_what_the_programs_saw(pairs: list[tuple[Document, list[Document]]]) -> None:
    wanted = {"allowed": "allowed", "denied": "denied", "refused": "failed"}
    faults = [
        {"wanted": wanted[fact["expected"]], **document}
        for fact, documents in pairs
        for document in documents[-1:]
        if first(document, "event.action") != wanted[fact["expected"]]
    ]
    assert not faults, f"{len(faults)}: {dump(faults)}"


def test_every_denial_names_its_policy_and_nothing_allowed_has_one(
    pairs: list[tuple[Document, list[Document]]],
) -> None:
    for fact, documents in pairs:
        denied_by = {name for document in documents for name in values_at(document, "policy.denied_by")}
        if fact["expected"] == "denied":
            assert any(f":{fact['policy']}:" in name for name in denied_by), dump([fact, *documents])
            assert {first(d, "rule.category") for d in documents} <= {fact["direction"], None}
        else:
            assert not denied_by, dump([fact, *documents])
        assert not any(first(document, "policy.drift") for document in documents), dump([fact, *documents])


def test_bytes_are_what_the_conntrack_program_counted(
    run: Observed, pairs: list[tuple[Document, list[Document]]]
) -> None:
    nodes = {pod["addresses"][version]: pod["node"] for pod in run.lab.status()["pods"] for version in (0, 1)}
    listed: dict[str, dict[tuple[str, str, int, str, int], Tracked]] = {
        node: {entry.key: entry for entry in parse_listing(text)} for node, text in run.witness.items()
    }
    compared = 0
    used = Counter(dialled_key(fact) for fact, _ in pairs)
    for fact, documents in pairs:
        if fact["protocol"] == "icmp" or fact["expected"] == "denied" or fact["source_address"] not in nodes:
            continue
        key = dialled_key(fact)
        entry = listed[nodes[fact["source_address"]]].get(key)
        if entry is None or used[key] > 1:
            continue  # it had ended, or its port was given out again and the listing has the later connection
        ours = tuple(sum(first(d, f"{end}.bytes") or 0 for d in documents) for end in ("source", "destination"))
        assert ours == (entry.original_bytes, entry.reply_bytes), dump([fact, *documents])
        compared += 1
    assert compared > len(pairs) // 3


def test_a_connection_ends_once_and_begins_once(pairs: list[tuple[Document, list[Document]]]) -> None:
    for _, documents in pairs:
        assert sum(first(d, "flow.connections.started") or 0 for d in documents) == 1, dump(documents)
        assert sum(first(d, "flow.connections.completed") or 0 for d in documents) <= 1, dump(documents)


def test_windows_add_up_to_flows(run: Observed) -> None:
    totals = [
        {figure: sum(first(document, figure) or 0 for document in documents) for figure in FIGURES}
        for documents in map(run.final, (run.flows(), run.windows()))
    ]
    assert totals[0] == totals[1]
    assert totals[0]["network.bytes"] > 0


def test_an_address_that_went_from_pod_to_pod_names_each_rightly(
    pairs: list[tuple[Document, list[Document]]],
) -> None:
    jobs: dict[str, set[str]] = defaultdict(set)
    for fact, documents in pairs:
        if fact["client"]["workload"] in ("import", "export"):
            jobs[fact["source_address"]].add(fact["client"]["pod"])
            names = {first(document, "source.kubernetes.pod.name") for document in documents}
            assert names == {fact["client"]["pod"]}, dump([fact, *documents])
    assert any(len(pods) >= 3 for pods in jobs.values()), "pods that live a second, one after the other"


def test_both_nodes_saw_what_crossed_between_them(pairs: list[tuple[Document, list[Document]]]) -> None:
    crossing = [
        documents
        for _, documents in pairs
        if first(documents[0], "source.kubernetes.node.name") != first(documents[0], "destination.kubernetes.node.name")
        and first(documents[0], "destination.kubernetes.node.name")
        and first(documents[0], "event.action") == "allowed"
    ]
    both = [documents for documents in crossing if any(first(d, "flow.reporter") == "both" for d in documents)]
    # A connection at the border of a step can be reported on its two sides, and then counts at the near end alone.
    assert len(both) > 0.8 * len(crossing) > 0
    assert not any(first(d, "flow.reporter") == "destination" for documents in crossing for d in documents)


def test_the_pods_and_processes_that_answer_are_named(pairs: list[tuple[Document, list[Document]]]) -> None:
    names = {
        first(document, "destination.process.name")
        for fact, documents in pairs
        for document in documents
        if fact["service"] == "data/postgres" and fact["expected"] == "allowed"
    }
    assert "postgres" in names
