"""KQL as Kibana turns it into Elasticsearch's query DSL: its own parser, run by node; ``make setup`` installs it.

A misspelt field matches nothing and is no error in Kibana. Here it is one.
"""

import json
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final, Self

from tests.support.index import ask

_DIRECTORY: Final = Path(__file__).parent
_INSTALLED: Final = _DIRECTORY / "node_modules" / ".package-lock.json"
_PATIENCE_SECONDS: Final = 60
_KINDS: Final = {"long": "number", "float": "number", "double": "number", "text": "string", "keyword": "string"}
"""Elasticsearch's type: Kibana's. What is not here has the same name (date, ip, boolean)."""


class KqlError(AssertionError):
    """A query cannot be read, or names a field that no index has."""


@dataclass(frozen=True, slots=True)
class Query:
    """One query, translated."""

    dsl: dict[str, Any]
    fields: tuple[str, ...]
    """Whose names it says, with its wildcards."""


@dataclass(frozen=True, slots=True)
class Kql:
    """The language over the fields of some indices."""

    types: Mapping[str, str]
    """Elasticsearch's type of each field."""

    @classmethod
    def of(cls, host: str, index: str) -> Self:
        """Over the fields that the indices of a pattern have now."""
        answer = ask(host, "GET", f"{index}/_field_caps?fields=*&filters=-metadata")
        return cls({name: next(iter(kinds)) for name, kinds in answer["fields"].items() if "object" not in kinds})

    def query(self, text: str) -> dict[str, Any]:
        """The query DSL of one query. Raises KqlError."""
        return self.queries([text])[0].dsl

    def queries(self, texts: Sequence[str]) -> list[Query]:
        """Many at once, in their order. Raises KqlError, naming the query."""
        found = [self._checked(text, answer) for text, answer in zip(texts, self._ask(texts), strict=True)]
        return [Query(answer["dsl"], tuple(answer["fields"])) for answer in found]

    def unknown(self, names: Iterable[str]) -> list[str]:
        """Those that no field matches; what lies below a flattened field is known by that."""
        return [name for name in names if not self._is_known(name)]

    def _is_known(self, name: str) -> bool:
        if any(fnmatchcase(known, name) for known in self.types):
            return True
        above = name.split(".")
        return any(self.types.get(".".join(above[:count])) == "flattened" for count in range(1, len(above)))

    def _checked(self, text: str, answer: dict[str, Any]) -> dict[str, Any]:
        if "error" in answer:
            raise KqlError(f"{text}: {answer['error']}")
        if unknown := self.unknown(answer["fields"]):
            raise KqlError(f"{text}: no such field: {', '.join(unknown)}")
        return answer

    def _ask(self, texts: Sequence[str]) -> list[dict[str, Any]]:
        if not _INSTALLED.exists():
            raise KqlError("Kibana's parser is not installed: run make setup")
        fields = [
            {"name": name, "type": _KINDS.get(kind, kind), "esTypes": [kind], "searchable": True, "aggregatable": True}
            for name, kind in self.types.items()
        ]
        question = json.dumps({"fields": fields, "queries": list(texts)})
        done = subprocess.run(
            ["node", str(_DIRECTORY / "translate.js")], input=question, capture_output=True, text=True, check=False,
            timeout=_PATIENCE_SECONDS,
        )  # fmt: skip
        if done.returncode != 0:
            raise KqlError(done.stderr)
        answers: list[dict[str, Any]] = json.loads(done.stdout)
        return answers
