"""Cases of the policy corpus, see README.md beside this file."""

import json
import lzma
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent
NETWORK_POLICY = "network_policy"


@dataclass(frozen=True, slots=True)
class Case:
    """One generated cluster with its questions."""

    id: str
    manifests: list[dict[str, Any]]
    policies: list[dict[str, Any]]
    queries: list[list[Any]]

    def hit_name(self, index: int) -> str:
        """A policy of this case as hits name it, without its rule."""
        metadata = self.policies[index]["metadata"]
        return f"{self.policies[index]['kind']}:{metadata.get('namespace', '')}/{metadata['name']}"


def cases(kind: str) -> list[Case]:
    """All cases of a kind."""
    with lzma.open(_FOLDER / f"{kind}.jsonl.xz", "rt", encoding="utf-8") as file:
        return [_case(json.loads(line)) for line in file]


def _case(raw: dict[str, Any]) -> Case:
    others = [item for part in ("namespaces", "pods", "nodes", "serviceAccounts") for item in raw.get(part, [])]
    return Case(raw["id"], [*others, *raw["policies"]], raw["policies"], raw["queries"])


def question_of(query: list[Any]) -> dict[str, Any]:
    """A query as `conntrail policy evaluate` reads it."""
    source, source_address, destination, destination_address, protocol, port = query[:6]
    return {
        "source": {"pod": source, "address": source_address},
        "destination": {"pod": destination, "address": destination_address},
        "protocol": protocol,
        "port": port,
    }
