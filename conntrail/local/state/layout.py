"""Where a stack keeps what: everything lies below its data directory."""

from dataclasses import dataclass
from pathlib import Path

from conntrail.local.state.state import Name


@dataclass(frozen=True, slots=True)
class Layout:
    """Paths below one data directory."""

    root: Path

    @property
    def state(self) -> Path:
        """The state file."""
        return self.root / "stack.json"

    @property
    def fresh_state(self) -> Path:
        """The next state file, until it takes the other's place."""
        return self.root / "stack.new"

    @property
    def lock(self) -> Path:
        """Held by the command that changes the stack."""
        return self.root / "stack.lock"

    def service(self, name: Name) -> Path:
        """A server's own directory."""
        return self.root / name

    def data(self, name: Name) -> Path:
        """What it stores."""
        return self.service(name) / "data"

    def configuration(self, name: Name) -> Path:
        """Its configuration, written anew at each start."""
        return self.service(name) / "config"

    def log(self, name: Name) -> Path:
        """What it prints."""
        return self.root / f"{name}.log"

    @property
    def home(self) -> Path:
        """Elasticsearch's programs, unpacked; a copy of ours since it may run as another user."""
        return self.service("elasticsearch") / "home"

    def temporary(self, name: Name) -> Path:
        """A server's temporary files."""
        return self.service(name) / "tmp"

    @property
    def all(self) -> tuple[Path, ...]:
        """Everything that a wipe removes."""
        servers = (self.service("kafka"), self.service("elasticsearch"))
        logs = (self.log("kafka"), self.log("elasticsearch"))
        return (*servers, *logs, self.fresh_state, self.state, self.lock)


def default_data_directory(is_root: bool, data_home: str, home: str) -> Path:
    """Where a stack lives unless told otherwise (XDG Base Directory Specification).

    Not below root's home, which others may not enter: Elasticsearch runs as another user there.
    """
    if is_root:
        return Path("/var/lib/conntrail/local")
    return Path(data_home or f"{home}/.local/share") / "conntrail/local"


def cache_directory(cache_home: str, home: str) -> Path:
    """Where downloads are kept between runs."""
    return Path(cache_home or f"{home}/.cache") / "conntrail/artifacts"
