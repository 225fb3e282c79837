"""Downloads the locked artifacts into the user's cache: in parallel, resumed, verified, each file moved in whole."""

import errno
import fcntl
import hashlib
import http.client
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from importlib.resources import files
from pathlib import Path
from typing import IO, Any

import jgo
from jgo.constants import MAVEN_CENTRAL_URL

from conntrail.errors import CommandError
from conntrail.local.artifact.artifact import Artifact, coordinate_artifact, parse_lock
from conntrail.local.elasticsearch.module import COORDINATES, VERSION

Progress = Callable[[int], None]
"""Told how many bytes came (negative: how many are to be fetched again)."""
_PARALLEL = 6
_ATTEMPTS = 4
_PATIENCE_SECONDS = 20.0
_CHUNK_BYTES = 1 << 18
_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS)
_RANGE_UNUSABLE = 416
_PARTIAL = 206
# Kafka's own choice of a log binding for slf4j 1.7, which its Maven coordinates leave to the user.
_KAFKA = ("org.apache.kafka:kafka_2.13:4.3.1", "org.apache.logging.log4j:log4j-slf4j-impl:2.25.4")
_ELASTICSEARCH = f"org.elasticsearch.distribution.integ-test-zip:elasticsearch:{VERSION}:zip"


def read_lock() -> tuple[Artifact, ...]:
    """The artifacts that this release of ours runs."""
    return parse_lock(files("conntrail.local").joinpath("artifacts.lock").read_text(encoding="utf-8"))


class ArtifactCache:
    """Files by their Maven path below one directory; what is there is verified and whole."""

    def __init__(self, directory: Path, repository: str) -> None:
        """``repository`` is a base URL; empty means Maven Central."""
        self._directory = directory
        self._repository = (repository or MAVEN_CENTRAL_URL).rstrip("/")
        if not self._repository.startswith(("https://", "http://")):
            raise CommandError(f"CONNTRAIL_LOCAL__REPOSITORY={repository}: expected a URL that begins with https://")
        self._stopped = threading.Event()

    def path(self, artifact: Artifact) -> Path:
        """Where the artifact is once fetched."""
        return self._directory / artifact.path

    def missing(self, artifacts: Iterable[Artifact]) -> list[Artifact]:
        """What has to be fetched: absent, or of another size than locked."""
        return [a for a in artifacts if not _has_size(self.path(a), a.size_bytes)]

    def fetch(self, artifacts: Iterable[Artifact], progress: Progress) -> None:
        """Fetch what is missing, largest first. Raises CommandError when the network or the content fails."""
        wanted = sorted(self.missing(artifacts), key=lambda a: -a.size_bytes)
        self._stopped.clear()
        with ThreadPoolExecutor(_PARALLEL, "fetch") as pool:
            downloads = [pool.submit(self._fetch_one, artifact, progress) for artifact in wanted]
            try:
                wait(downloads, return_when=FIRST_EXCEPTION)
            finally:
                self._stopped.set()
                pool.shutdown(wait=True, cancel_futures=True)
        _raise_first(downloads)

    def resolve(self) -> list[Artifact]:
        """Ask the repository which files the pinned versions need, and measure each: the new content of the lock.

        This is the one place that trusts the repository; everything else compares with the lock.
        """
        coordinates: dict[str, str] = {}
        for endpoint in _KAFKA:
            # One at a time: resolved together, one endpoint's managed versions replace the other's.
            for found in jgo.resolve(endpoint, repositories={"central": self._repository}):
                key = f"{found.groupId}:{found.artifactId}"
                coordinates.setdefault(key, f"{key}:{found.version}")
        return [self._measure(coordinate) for coordinate in (*coordinates.values(), *COORDINATES, _ELASTICSEARCH)]

    def _measure(self, coordinate: str) -> Artifact:
        path = coordinate_artifact(coordinate, 0, "").path
        digest, size = hashlib.sha256(), 0
        try:
            with self._open(path, 0) as answer:
                while chunk := answer.read(_CHUNK_BYTES):
                    digest.update(chunk)
                    size += len(chunk)
        except (OSError, http.client.HTTPException) as error:
            raise self._unreachable(path, error) from error
        return coordinate_artifact(coordinate, size, digest.hexdigest())

    def _fetch_one(self, artifact: Artifact, progress: Progress) -> None:
        try:
            self._complete(artifact, progress)
        except OSError as error:
            raise CommandError(
                f"{error.filename or self._directory} cannot be written: {error.strerror}; "
                "make room for downloads there, or name another directory by XDG_CACHE_HOME"
            ) from error

    def _complete(self, artifact: Artifact, progress: Progress) -> None:
        path = self.path(artifact)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(path.name + ".part")
        with partial.open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # another command may be fetching the same file
            if _has_size(path, artifact.size_bytes):
                progress(artifact.size_bytes)
                partial.unlink(missing_ok=True)
                return
            self._fill(artifact, file, progress)
            if not self._stopped.is_set():
                partial.rename(path)

    def _fill(self, artifact: Artifact, file: IO[bytes], progress: Progress) -> None:
        """Complete the partial file, however often the connection breaks; once more from nothing on a wrong sum."""
        progress(file.tell())
        for is_last in (False, True):
            self._download(artifact, file, progress)
            if self._stopped.is_set():
                return
            file.flush()
            if _sha256(Path(file.name)) == artifact.sha256:
                return
            progress(-file.tell())
            file.truncate(0)
            file.seek(0)
            if is_last:
                raise CommandError(
                    f"{self._repository}/{artifact.path} is not the file that artifacts.lock pins (sha256 differs): "
                    "nothing was installed; look at what answers under that address"
                )

    def _download(self, artifact: Artifact, file: IO[bytes], progress: Progress) -> None:
        for attempt in range(_ATTEMPTS):
            try:
                self._continue(artifact, file, progress)
            except (OSError, http.client.HTTPException) as error:
                if isinstance(error, OSError) and error.errno in _DISK:
                    raise
                if attempt == _ATTEMPTS - 1 or _is_final(error):
                    raise self._unreachable(artifact.path, error) from error
                self._stopped.wait(2.0**attempt)
            if self._stopped.is_set() or file.tell() >= artifact.size_bytes:
                return
        raise CommandError(f"{self._repository}/{artifact.path}: the connection broke {_ATTEMPTS} times; try again")

    def _continue(self, artifact: Artifact, file: IO[bytes], progress: Progress) -> None:
        have = file.tell()
        if have >= artifact.size_bytes:
            return
        with self._open(artifact.path, have) as answer:
            if have and answer.status != _PARTIAL:
                file.truncate(0)
                file.seek(0)
                progress(-have)
            # No more than the lock says: a wrong answer must not fill the disk.
            while file.tell() < artifact.size_bytes and not self._stopped.is_set():
                chunk = answer.read(min(_CHUNK_BYTES, artifact.size_bytes - file.tell()))
                if not chunk:
                    return
                file.write(chunk)
                progress(len(chunk))

    def _open(self, path: str, start: int) -> Any:
        """The answer's body from ``start`` on, when the server can (RFC 9110, section 14.2)."""
        headers = {"Range": f"bytes={start}-"} if start else {}
        request = urllib.request.Request(f"{self._repository}/{path}", headers=headers)  # noqa: S310 - checked at the start
        return urllib.request.urlopen(request, timeout=_PATIENCE_SECONDS)  # noqa: S310 - the same

    def _unreachable(self, path: str, error: Exception) -> CommandError:
        reason = getattr(error, "reason", None) or error
        return CommandError(
            f"cannot fetch {self._repository}/{path}: {reason}; check the network or proxy, "
            "or name a mirror by CONNTRAIL_LOCAL__REPOSITORY"
        )


def _has_size(path: Path, size_bytes: int) -> bool:
    try:
        return path.stat().st_size == size_bytes
    except OSError:
        return False


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _is_final(error: Exception) -> bool:
    """Whether trying again cannot help: the repository answered, and said no."""
    return isinstance(error, urllib.error.HTTPError) and error.code < 500 and error.code != _RANGE_UNUSABLE  # noqa: PLR2004 - HTTP's classes


def _raise_first(downloads: list[Future[None]]) -> None:
    for download in downloads:
        if not download.cancelled() and (error := download.exception()) is not None:
            raise error
