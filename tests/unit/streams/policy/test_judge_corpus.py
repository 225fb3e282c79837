"""The columns say of every question of the corpus what the evaluator, asked one by one, says."""

from typing import Any

import pytest

from conntrail.policy.manifest import Cluster, build_cluster
from streams.metadata.endpoint import Endpoint
from streams.policy.compile import is_policy, is_referent
from streams.policy.evaluate import evaluate
from streams.policy.judge import judge
from streams.policy.network import parse_address
from streams.policy.object import PolicyObject
from streams.policy.question import End, Question
from streams.policy.timeline import PolicyTimeline
from tests.golden.policy.corpus import Case, cases
from tests.unit.streams.policy.builders import SECOND, START, Endpoints, matched, timeline

_NUMBERS = {"TCP": 6, "UDP": 17, "SCTP": 132}


def _timeline(case: Case) -> PolicyTimeline:
    return timeline(
        *(
            PolicyObject(
                item["apiVersion"],
                item["kind"],
                item["metadata"].get("namespace", ""),
                item["metadata"]["name"],
                item["metadata"].get("uid", ""),
                item.get("spec"),
                labels=item["metadata"].get("labels", {}),
                observed_at_ns=START - 60 * SECOND,
            )
            for item in case.manifests
            if is_policy(item["apiVersion"], item["kind"]) or is_referent(item["apiVersion"], item["kind"])
        )
    )


class _Asker:
    """Turns queries into rows and into questions about the same endpoints."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.endpoints: list[Endpoint] = [*cluster.pods.values(), *cluster.nodes.values()]
        self._indexes = {id(endpoint): index for index, endpoint in enumerate(self.endpoints)}

    def _endpoint(self, name: str, address: str, *, is_destination: bool) -> Endpoint | None:
        if name:
            return self._cluster.pods[name]
        parsed = parse_address(address)
        return self._cluster.nodes.get(parsed) if is_destination and parsed is not None else None

    def row(self, query: list[Any]) -> dict[str, Any]:
        source = self._endpoint(query[0], query[1], is_destination=False)
        destination = self._endpoint(query[2], query[3], is_destination=True)
        return {
            "source_index": None if source is None else self._indexes[id(source)],
            "source_address": query[1],
            "destination_index": None if destination is None else self._indexes[id(destination)],
            "destination_address": query[3],
            "protocol": _NUMBERS[query[4]],
            "destination_port": query[5],
        }

    def question(self, query: list[Any]) -> Question:
        return Question(
            End(self._endpoint(query[0], query[1], is_destination=False), parse_address(query[1])),
            End(self._endpoint(query[2], query[3], is_destination=True), parse_address(query[3])),
            query[4],
            query[5],
        )


@pytest.mark.parametrize("kind", ["network_policy", "admin_network_policy", "cluster_network_policy", "calico"])
def test_columns_equal_the_evaluator_on_the_corpus(kind: str) -> None:
    for case in cases(kind):
        cluster, known = build_cluster(case.manifests), _timeline(case)
        asker = _Asker(cluster)
        # Requests are in no flow: of Calico's questions those about connections alone remain.
        queries = [query for query in case.queries if kind != "calico" or query[6] is None]
        asked = matched(*map(asker.row, queries))
        rows = judge(asked, Endpoints(asker.endpoints), known)
        evaluations = known.verdicts.evaluations
        columns = rows.select("policy_verdict", "egress_policies", "ingress_policies", "pending").rows()
        for query, answered in zip(queries, columns, strict=True):
            trace = evaluate(cluster.policies, asker.question(query))
            hits = [[str(hit) for hit in side.hits] for side in (trace.egress, trace.ingress)]
            pending = [str(hit) for side in (trace.pending_egress, trace.pending_ingress) for hit in side.hits]
            is_changed = (trace.pending_egress, trace.pending_ingress) != (trace.egress, trace.ingress)
            assert answered == (trace.verdict, *hits, pending if is_changed else []), (case.id, query)
        assert judge(asked, Endpoints(asker.endpoints), known).equals(rows)
        assert known.verdicts.evaluations == evaluations
