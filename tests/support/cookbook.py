"""The page of questions and queries as data, its queries asked of a real Elasticsearch, its answers as tables."""

import json
import re
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

PAGE: Final = Path(__file__).parents[2] / "docs/cookbook.md"
_QUESTION: Final = re.compile(
    r"^### (?P<title>[^\n]+)\n\n(?P<lead>KQL over `(?P<index>[^`]+)`, columns (?P<columns>[^\n]+):\n\n)?"
    r"```(?P<language>esql|kql)\n(?P<query>.*?)\n```\n(?:\n```text\n(?P<answer>.*?)\n```\n)?",
    re.MULTILINE | re.DOTALL,
)
_OPENER: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_HITS: Final = 1000
_SHOWN: Final = 6
_KQL_FIELD: Final = re.compile(r"(?<![\w.\"])([a-z@][\w.@]*)\s*(?::|<=?|>=?)")
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Question:
    """One section of the page."""

    title: str
    language: str
    index: str
    """Of KQL: the data view."""
    columns: tuple[str, ...]
    """Of KQL: what is shown of the documents that it finds."""
    query: str
    answer: str

    @property
    def fields(self) -> set[str]:
        """Of KQL, which takes a field that is not there for one that nothing matches."""
        return {*_KQL_FIELD.findall(self.query), *self.columns} if self.language == "kql" else set()


@dataclass(frozen=True, slots=True)
class Answer:
    """Columns in their order, and rows by column."""

    columns: list[str]
    rows: list[Row]


def questions() -> list[Question]:
    """In the order of the page."""
    text = PAGE.read_text(encoding="utf-8")
    return [
        Question(
            title=found["title"],
            language=found["language"],
            index=found["index"] or "",
            columns=tuple(re.findall(r"`([^`]+)`", found["columns"] or "")),
            query=found["query"],
            answer=found["answer"] or "",
        )
        for found in _QUESTION.finditer(text)
    ]


def headings() -> list[str]:
    """Every heading of a question, also of one without a query."""
    return re.findall(r"^### ([^\n]+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)


def renewed(answers: Mapping[str, Answer]) -> str:
    """The page with these answers, by title."""

    def section(found: re.Match[str]) -> str:
        lead = f"### {found['title']}\n\n{found['lead'] or ''}"
        query = f"```{found['language']}\n{found['query']}\n```\n"
        return f"{lead}{query}\n```text\n{table(answers[found['title']])}\n```\n"

    return _QUESTION.sub(section, PAGE.read_text(encoding="utf-8"))


def table(answer: Answer) -> str:
    """Columns at their width; only the first rows, and how many more there are."""
    shown = answer.rows[:_SHOWN]
    cells = [answer.columns, *([_text(row.get(name)) for name in answer.columns] for row in shown)]
    widths = [max(len(row[n]) for row in cells) for n in range(len(answer.columns))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    more = len(answer.rows) - len(shown)
    return "\n".join([*lines, *([f"… {more} more"] if more else [])])


class Elasticsearch:
    """Asks questions of the documents of one installation."""

    def __init__(self, host: str, namespace: str) -> None:
        self._host = host
        self._namespace = namespace

    def ask(self, question: Question) -> Answer:
        """Raises AssertionError with Elasticsearch's words when it does not understand the query."""
        if question.language == "esql":
            found = self._post("_query", {"query": self._own(question.query)})
            columns = [column["name"] for column in found["columns"]]
            return Answer(columns, [dict(zip(columns, values, strict=True)) for values in found["values"]])
        body = {"query": {"kql": {"query": question.query}}, "size": _HITS, "sort": ["@timestamp"]}
        hits = self._post(f"{self._own(question.index)}/_search", body)["hits"]["hits"]
        columns = list(question.columns)
        rows = [{name: _at(hit["_source"], name) for name in columns} for hit in hits]
        return Answer(columns, [json.loads(text) for text in dict.fromkeys(map(json.dumps, rows))])

    def fields(self, question: Question) -> set[str]:
        """What is mapped in the data view of a KQL question."""
        return set(self._post(f"{self._own(question.index)}/_field_caps?fields=*")["fields"])

    def refresh(self) -> None:
        """Make everything searchable."""
        self._post(f"*-conntrail.*-{self._namespace}-*/_refresh")

    def _own(self, text: str) -> str:
        """Index patterns of this installation alone."""
        return re.sub(r"((?:logs|metrics)-conntrail\.[a-z0-9]*)(-\*|\*)", rf"\1*-{self._namespace}-*", text)

    def _post(self, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"content-type": "application/json"}
        request = urllib.request.Request(f"{self._host}/{path}", data, headers, method="POST")
        try:
            with _OPENER.open(request, timeout=60) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise AssertionError(error.read().decode()) from error


def _at(document: Any, path: str) -> Any:
    for name in path.split("."):
        document = document.get(name) if isinstance(document, dict) else None
    return document


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    return "" if value is None else str(value)
