"""What a lab has made, written down before it is made, so that whoever comes next can finish the clean-up."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

STATE_FILE: Final = "lab.json"


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a lab keeps its things."""

    root: Path

    @property
    def cluster_directory(self) -> Path:
        """Kubernetes objects as YAML; what is not YAML there is ignored."""
        return self.root / "cluster"

    @property
    def truth_path(self) -> Path:
        """One JSON line a connection."""
        return self.root / "truth.jsonl"

    @property
    def state_path(self) -> Path:
        """Names of the namespaces."""
        return self.root / STATE_FILE

    @property
    def manifests_directory(self) -> Path:
        """The manifests that the lab goes by, as given and as changed since."""
        return self.root / "manifests"


def format_state(namespaces: list[str]) -> str:
    """Text of the state file."""
    return json.dumps({"namespaces": namespaces}, indent=2) + "\n"


def parse_state(text: str) -> list[str]:
    """Names of the namespaces; none when the text is cut off."""
    try:
        names = json.loads(text)["namespaces"]
    except (ValueError, KeyError, TypeError):
        return []
    return [str(name) for name in names]
