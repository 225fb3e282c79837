"""How a server of the stack is, and how that is written."""

from dataclasses import dataclass

COLUMNS = ("service", "state", "address")
WIDE_COLUMNS = (*COLUMNS, "pid", "memory", "data", "log")
_MEBIBYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """One server now."""

    name: str
    is_running: bool
    is_answering: bool
    address: str
    pid: int | None
    resident_bytes: int
    data: str
    log: str

    @property
    def state(self) -> str:
        """One word."""
        if self.is_answering:
            return "up"
        return "silent" if self.is_running else "down"

    def document(self) -> dict[str, object]:
        """For scripts."""
        return {
            "service": self.name,
            "state": self.state,
            "address": self.address,
            "pid": self.pid,
            "resident_bytes": self.resident_bytes,
            "data": self.data,
            "log": self.log,
        }

    def row(self) -> dict[str, str]:
        """For people."""
        memory = f"{self.resident_bytes / _MEBIBYTE:.0f} MiB" if self.resident_bytes else "-"
        pid = "-" if self.pid is None else str(self.pid)
        texts = {name: str(value) for name, value in self.document().items()}
        return {**texts, "pid": pid, "memory": memory}
