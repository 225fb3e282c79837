"""All captures, and where they lie; ``python -m tests.unit.agents.node.hostile.captures`` writes them anew."""

from pathlib import Path

from tests.unit.agents.node.hostile import dns, http1, http2, tls

CAPTURES = {**dns.CAPTURES, **http1.CAPTURES, **http2.CAPTURES, **tls.CAPTURES}
_FOLDER = Path(__file__).parent / "recorded"


def path_of(name: str) -> Path:
    return _FOLDER / f"{name}.pcap"


def main() -> None:
    for name, build in CAPTURES.items():
        path_of(name).write_bytes(build().render())


if __name__ == "__main__":
    main()
