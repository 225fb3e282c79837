"""Downloads against a real HTTP server that breaks, lies and resumes."""

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from conntrail.errors import CommandError
from conntrail.local.artifact.artifact import Artifact, coordinate_artifact
from conntrail.local.artifact.reader import ArtifactCache

_CONTENT = bytes(range(256)) * 4096


def _artifact(name: str = "thing", content: bytes = _CONTENT) -> Artifact:
    return coordinate_artifact(f"org.example:{name}:1.0", len(content), hashlib.sha256(content).hexdigest())


class _Repository(ThreadingHTTPServer):
    """Serves the content; may break off, forget ranges or send something else."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.content = _CONTENT
        self.break_after: int | None = None
        self.has_ranges = True
        self.ranges: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: _Repository

    def do_GET(self) -> None:
        wanted = self.headers.get("Range", "") if self.server.has_ranges else ""
        start = int(wanted.removeprefix("bytes=").rstrip("-") or 0)
        self.server.ranges.append(wanted)
        if "absent" in self.path:
            self.send_error(404)
            return
        body = self.server.content[start:]
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.server.break_after is not None:
            body, self.server.break_after = body[: self.server.break_after], None
            self.close_connection = True
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Keep quiet."""


@pytest.fixture
def repository() -> Iterator[_Repository]:
    with _Repository() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def _fetch(repository: str, directory: Path, *artifacts: Artifact) -> int:
    """Fetch; returns the sum of what progress was told."""
    counts: list[int] = []
    ArtifactCache(directory, repository).fetch(artifacts, counts.append)
    return sum(counts)


def test_files_are_whole_and_a_second_fetch_asks_nothing(repository: _Repository, tmp_path: Path) -> None:
    artifacts = [_artifact(name) for name in ("a", "b", "c")]
    assert _fetch(repository.url, tmp_path, *artifacts) == 3 * len(_CONTENT)
    assert all((tmp_path / artifact.path).read_bytes() == _CONTENT for artifact in artifacts)
    asked = len(repository.ranges)
    _fetch(repository.url, tmp_path, *artifacts)
    assert len(repository.ranges) == asked


def test_a_broken_connection_is_resumed_where_it_broke(repository: _Repository, tmp_path: Path) -> None:
    repository.break_after = 300_000
    assert _fetch(repository.url, tmp_path, _artifact()) == len(_CONTENT)
    assert repository.ranges == ["", "bytes=300000-"]
    assert (tmp_path / _artifact().path).read_bytes() == _CONTENT


def test_a_partial_file_of_an_earlier_run_is_continued(repository: _Repository, tmp_path: Path) -> None:
    path = tmp_path / _artifact().path
    path.parent.mkdir(parents=True)
    path.with_name(path.name + ".part").write_bytes(_CONTENT[:1000])
    _fetch(repository.url, tmp_path, _artifact())
    assert repository.ranges == ["bytes=1000-"]
    assert path.read_bytes() == _CONTENT


def test_a_server_without_ranges_is_read_from_the_start(repository: _Repository, tmp_path: Path) -> None:
    repository.has_ranges = False
    path = tmp_path / _artifact().path
    path.parent.mkdir(parents=True)
    path.with_name(path.name + ".part").write_bytes(b"x" * 1000)
    assert _fetch(repository.url, tmp_path, _artifact()) == len(_CONTENT)
    assert path.read_bytes() == _CONTENT


def test_a_damaged_partial_file_is_thrown_away_and_fetched_anew(repository: _Repository, tmp_path: Path) -> None:
    path = tmp_path / _artifact().path
    path.parent.mkdir(parents=True)
    path.with_name(path.name + ".part").write_bytes(b"x" * 1000)
    _fetch(repository.url, tmp_path, _artifact())
    assert repository.ranges == ["bytes=1000-", ""]
    assert path.read_bytes() == _CONTENT


def test_other_content_than_locked_is_never_installed(repository: _Repository, tmp_path: Path) -> None:
    repository.content = b"y" * len(_CONTENT)
    with pytest.raises(CommandError, match="sha256 differs"):
        _fetch(repository.url, tmp_path, _artifact())
    assert not (tmp_path / _artifact().path).exists()


def test_an_endless_answer_does_not_fill_the_disk(repository: _Repository, tmp_path: Path) -> None:
    repository.content = b"y" * (8 * len(_CONTENT))
    with pytest.raises(CommandError):
        _fetch(repository.url, tmp_path, _artifact())
    assert sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()) <= len(_CONTENT)


def test_an_absent_file_is_one_line_that_names_it(repository: _Repository, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"absent-1\.0\.jar.*CONNTRAIL_LOCAL__REPOSITORY"):
        _fetch(repository.url, tmp_path, _artifact("absent"))


def test_without_a_network_the_line_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"cannot fetch http://127\.0\.0\.1:1/.*check the network"):
        _fetch("http://127.0.0.1:1", tmp_path, _artifact())


def test_a_cache_that_cannot_be_written_is_named(repository: _Repository, tmp_path: Path) -> None:
    (tmp_path / "org").write_text("a file where a directory must be")
    with pytest.raises(CommandError, match=r"org.* cannot be written: .*XDG_CACHE_HOME"):
        _fetch(repository.url, tmp_path, _artifact())


def test_a_full_disk_is_not_taken_for_a_broken_network(repository: _Repository, tmp_path: Path) -> None:
    path = tmp_path / _artifact().path
    path.parent.mkdir(parents=True)
    path.with_name(path.name + ".part").symlink_to("/dev/full")
    with pytest.raises(CommandError, match="No space left on device"):
        _fetch(repository.url, tmp_path, _artifact())
