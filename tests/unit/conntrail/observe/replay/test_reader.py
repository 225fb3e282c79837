import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from conntrail.errors import CommandError
from conntrail.observe.command import app
from conntrail.observe.replay.reader import read_documents
from tests.unit.conntrail.observe.documents import Document, document
from tests.unit.conntrail.observe.view.documents import dns

ALLOWED = document(flow__id="a")
DENIED = document(**{"flow__id": "b", "event__action": "denied", "@timestamp": "2026-11-23T18:33:00.000Z"})


def written(path: Path, *documents: Document) -> str:
    path.write_text("".join(json.dumps(each) + "\n" for each in documents))
    return str(path)


def replayed(path: str, *arguments: str, given: str | None = None) -> tuple[list[Document], str]:
    answer = CliRunner().invoke(app, ["--input-file", path, "-o", "jsonl", *arguments], input=given)
    assert answer.exit_code == 0, answer.output
    return [json.loads(line) for line in answer.stdout.splitlines()], answer.stderr


def test_what_was_written_is_read_again_as_it_was_in_its_order(tmp_path: Path) -> None:
    path = written(tmp_path / "flows.jsonl", DENIED, dns(), ALLOWED)
    found, said = replayed(path)
    assert found == [DENIED, dns(), ALLOWED]
    assert "2 flows; the reporting nodes saw everything" in said
    assert replayed("-", given=Path(path).read_text())[0] == found


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--verdict", "denied"], [DENIED]), (["--not", "--verdict", "denied"], [dns(), ALLOWED]),
        (["--type", "dns"], [dns()]), (["--last", "1"], [DENIED]), (["--type", "flow", "--first", "1"], [ALLOWED]),
        (["--since", "2026-11-23T18:32:30Z"], [DENIED]), (["--namespace", "nobody"], []),
    ],
)  # fmt: skip
def test_filters_are_those_of_the_stores(arguments: list[str], expected: list[Document], tmp_path: Path) -> None:
    assert replayed(written(tmp_path / "f", DENIED, dns(), ALLOWED), *arguments)[0] == expected


def test_it_is_said_that_there_is_more_than_is_shown(tmp_path: Path) -> None:
    path = written(tmp_path / "f", DENIED, ALLOWED)
    assert "the last 1 of more" in replayed(path, "--last", "1")[1]
    assert "the first 1 of more" in replayed(path, "--first", "1")[1]
    assert "of more" not in replayed(path, "--last", "2")[1]


def test_fields_and_sums_are_printed_instead(tmp_path: Path) -> None:
    path = written(tmp_path / "f", DENIED, ALLOWED)
    assert replayed(path, "--field-mask", "event.action")[0] == [
        {"event": {"action": "denied"}},
        {"event": {"action": "allowed"}},
    ]
    rows, _ = replayed(path, "--aggregate-by", "from-workload")
    assert [(row["from-workload"], row["count"]) for row in rows] == [("shop/client", 2)]


HOSTILE = [
    "junk", "[1]", "null", "{}", '{"@timestamp": 5}', '{"@timestamp": "soon"}', "[" * 100_000, "\0", "\udcff",
    '{"@timestamp": "2026-11-23T18:32:00.000"}', '{"@timestamp": ' + "9" * 5000 + "}", "x" * 3_000_000,
]  # fmt: skip


def test_lines_that_are_no_documents_are_passed_over_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "f"
    lines = [*HOSTILE, "", json.dumps(ALLOWED)]
    path.write_bytes("\n".join(lines).encode(errors="surrogateescape"))
    said: list[str] = []
    assert list(read_documents(str(path), said.append)) == [ALLOWED]
    assert [f"{len(HOSTILE)} lines" in words for words in said] == [True]


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"--input-file .*none: No such file"):
        list(read_documents(str(tmp_path / "none"), print))
