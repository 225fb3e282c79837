"""A network namespace whose conntrack table holds a node's mix of connections, put there by the conntrack program."""

import random
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

_RULE = "table inet track { chain output { type filter hook output priority 0; ct state new counter; }; }"


@contextmanager
def tracking_namespace(name: str) -> Iterator[str]:
    """A namespace with conntrack, counters and times switched on; yields its path."""
    run("ip", "netns", "add", name)
    try:
        run("ip", "-n", name, "link", "set", "lo", "up")
        for setting in ("acct", "timestamp"):
            run("ip", "netns", "exec", name, "sysctl", "-qw", f"net.netfilter.nf_conntrack_{setting}=1")
        run("ip", "netns", "exec", name, "nft", _RULE)
        yield f"/run/netns/{name}"
    finally:
        run("ip", "netns", "del", name)


def load(name: str, count: int, seed: int = 1) -> None:
    """Put ``count`` connections into the namespace's table."""
    run("ip", "netns", "exec", name, "conntrack", "-R", "-", text="\n".join(_lines(count, seed)))


def run(*command: str, text: str | None = None) -> str:
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
    return done.stdout


def _lines(count: int, seed: int) -> Iterator[str]:
    chance = random.Random(seed)
    for number in range(count):
        source = f"10.{1 + number // 60000}.{(number >> 8) & 255}.{number & 255}"
        target = f"10.200.{chance.randrange(256)}.{chance.randrange(1, 255)}"
        ports = f"--sport {1024 + number % 60000} --dport {chance.choice((80, 443, 5432))}"
        kind = chance.random()
        if kind < 0.35:
            service = f"172.20.{chance.randrange(256)}.{chance.randrange(1, 255)}"
            yield (
                f"-I -p tcp -s {source} -d {service} --sport {1024 + number % 60000} --dport 80 --reply-src {target} "
                f"--reply-dst {source} --reply-port-src 8080 --reply-port-dst {1024 + number % 60000} "
                f"--state ESTABLISHED -u ASSURED,SEEN_REPLY -t 600 -m {number % 7}"
            )
        elif kind < 0.7:
            state = chance.choice(("ESTABLISHED", "TIME_WAIT", "SYN_SENT", "CLOSE_WAIT"))
            yield f"-I -p tcp -s {source} -d {target} {ports} --state {state} -u ASSURED,SEEN_REPLY -t 600"
        elif kind < 0.9:
            yield f"-I -p udp -s {source} -d {target} {ports} -t 600 -u SEEN_REPLY"
        elif kind < 0.97:
            address = f"fd00::{number >> 16:x}:{number & 0xFFFF:x}"
            yield (
                f"-I -p tcp -s {address} -d fd00:1::{chance.randrange(1, 65535):x} {ports} "
                "--state ESTABLISHED -u ASSURED,SEEN_REPLY -t 600"
            )
        else:
            yield f"-I -p icmp -s {source} -d {target} --icmp-type 8 --icmp-code 0 --icmp-id {number % 65536} -t 600"
