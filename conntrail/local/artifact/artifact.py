"""Released files of Kafka and Elasticsearch: which ones, of what size and content, and where a repository has them.

The lock file decides all of it: one line a file, ``group:artifact:version[:type] bytes sha256``.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from conntrail.errors import CommandError
from conntrail.local.elasticsearch.module import COORDINATES

_LINE = re.compile(r"(?P<coordinate>[\w.\-]+:[\w.\-]+:[\w.\-]+(?::\w+)?) (?P<size>\d+) (?P<sha256>[0-9a-f]{64})")
_HEADER = (
    "# Every file that the local stack runs, pinned. Renew with: conntrail local lock\n"
    "# group:artifact:version[:type] bytes sha256\n"
)


@dataclass(frozen=True, slots=True, order=True)
class Artifact:
    """One released file."""

    group: str
    name: str
    version: str
    packaging: str
    size_bytes: int
    sha256: str

    @property
    def path(self) -> str:
        """Path below a repository's root (Maven 2 repository layout)."""
        directory = "/".join((*self.group.split("."), self.name, self.version))
        return f"{directory}/{self.name}-{self.version}.{self.packaging}"

    @property
    def coordinate(self) -> str:
        """How the lock file names it."""
        packaging = "" if self.packaging == "jar" else f":{self.packaging}"
        return f"{self.group}:{self.name}:{self.version}{packaging}"


def coordinate_artifact(coordinate: str, size_bytes: int, sha256: str) -> Artifact:
    """The artifact that ``group:artifact:version[:type]`` names."""
    group, name, version, *packaging = coordinate.split(":")
    return Artifact(group, name, version, packaging[0] if packaging else "jar", size_bytes, sha256)


def parse_lock(text: str) -> tuple[Artifact, ...]:
    """Artifacts of a lock file. Raises CommandError, naming the line, when one is malformed."""
    artifacts = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise CommandError(f"artifacts.lock line {number}: expected 'group:artifact:version bytes sha256'")
        artifacts.append(coordinate_artifact(match["coordinate"], int(match["size"]), match["sha256"]))
    return tuple(artifacts)


def format_lock(artifacts: Iterable[Artifact]) -> str:
    """Text of a lock file, in an order that does not depend on the resolver's."""
    lines = (f"{a.coordinate} {a.size_bytes} {a.sha256}\n" for a in sorted(artifacts))
    return _HEADER + "".join(lines)


def java_archives(artifacts: Iterable[Artifact]) -> tuple[Artifact, ...]:
    """What Kafka runs from."""
    return tuple(a for a in artifacts if a.packaging == "jar" and a.coordinate not in COORDINATES)


def module_archives(artifacts: Iterable[Artifact]) -> dict[str, Artifact]:
    """What Elasticsearch's added modules consist of, by coordinate. Raises CommandError when the lock lacks one."""
    found = {a.coordinate: a for a in artifacts if a.coordinate in COORDINATES}
    if missing := set(COORDINATES) - found.keys():
        raise CommandError(f"artifacts.lock does not name {min(missing)}; renew it with: conntrail local lock")
    return found


def distribution(artifacts: Iterable[Artifact]) -> Artifact:
    """Elasticsearch's archive. Raises CommandError when the lock has none."""
    for artifact in artifacts:
        if artifact.packaging == "zip":
            return artifact
    raise CommandError("artifacts.lock names no Elasticsearch archive; renew it with: conntrail local lock")
