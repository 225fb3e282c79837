"""Cases of the policy corpus, see README.md beside this file."""

import json
import lzma
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent
_TIERS = {"AdminNetworkPolicy": ":admin", "BaselineAdminNetworkPolicy": ":baseline"}


@dataclass(frozen=True, slots=True)
class Case:
    """One generated cluster with its questions."""

    id: str
    manifests: list[dict[str, Any]]
    policies: list[dict[str, Any]]
    names: dict[str, list[str]]
    """What DNS gave: name to addresses."""
    queries: list[list[Any]]

    def hit_name(self, index: int) -> str:
        """A policy of this case as hits name it, without its rule."""
        policy = self.policies[index]
        metadata, kind = policy["metadata"], policy["kind"]
        tier = f":{policy['spec']['tier'].lower()}" if kind == "ClusterNetworkPolicy" else _TIERS.get(kind, "")
        return f"{kind}:{metadata.get('namespace', '')}/{metadata['name']}{tier}"

    def question(self, query: list[Any]) -> dict[str, Any]:
        """A query as `conntrail policy evaluate` reads it."""
        source, source_address, destination, destination_address, protocol, port = query[:6]
        http = query[6] if self.id.startswith("calico") else None
        domains = [name for name, addresses in self.names.items() if destination_address in addresses]
        return {
            "source": {"pod": source, "address": source_address},
            "destination": {"pod": destination, "address": destination_address, "domains": domains},
            "protocol": protocol,
            "port": port,
            **({} if http is None else {"http": {"method": http[0], "path": http[1]}}),
        }


def cases(kind: str) -> list[Case]:
    """All cases of a kind."""
    with lzma.open(_FOLDER / f"{kind}.jsonl.xz", "rt", encoding="utf-8") as file:
        return [_case(json.loads(line)) for line in file]


def _case(raw: dict[str, Any]) -> Case:
    others = [item for part in ("namespaces", "pods", "nodes", "serviceAccounts") for item in raw.get(part, [])]
    return Case(raw["id"], [*others, *raw["policies"]], raw["policies"], raw.get("dns", {}), raw["queries"])
