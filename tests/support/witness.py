"""What the conntrack program lists, as values: a count of bytes that is not ours."""

import re
from dataclasses import dataclass

_PAIR = re.compile(r"(src|dst|sport|dport|bytes|packets|id)=(\S+)")


@dataclass(frozen=True)
class Tracked:
    """One entry of ``conntrack -L``."""

    protocol: str
    source: str
    source_port: int
    dialled: str
    dialled_port: int
    answers: str
    original_bytes: int
    reply_bytes: int

    @property
    def key(self) -> tuple[str, str, int, str, int]:
        return self.protocol, self.source, self.source_port, self.dialled, self.dialled_port


def parse_listing(text: str) -> list[Tracked]:
    """Entries of a listing with ``-o extended``."""
    found = []
    for line in text.splitlines():
        words = line.split()
        values: dict[str, list[str]] = {}
        for key, value in _PAIR.findall(line):
            values.setdefault(key, []).append(value)
        found.append(
            Tracked(
                protocol=words[2],
                source=values["src"][0],
                source_port=int(values.get("sport", ["0"])[0]),
                dialled=values["dst"][0],
                dialled_port=int(values.get("dport", ["0"])[0]),
                answers=values["src"][1],
                original_bytes=int(values["bytes"][0]),
                reply_bytes=int(values["bytes"][1]),
            )
        )
    return found
