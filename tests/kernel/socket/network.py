"""A node with two pods, and a stranger's namespace with the same addresses that must not be asked."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

CLIENT = {4: "10.73.1.2", 6: "fd73:1::2"}
SERVER = {4: "10.73.2.2", 6: "fd73:2::2"}
PORT = 8080
SERVER_PROGRAM = """
import json, socket, sys
tcp, udp = socket.create_server(("::", 8080), family=socket.AF_INET6, dualstack_ipv6=True), \
    socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
udp.bind(("::", 8080))
print(json.dumps({"ready": True}), flush=True)
held = []
for line in sys.stdin:
    if line.startswith("accept"):
        held.append(tcp.accept()[0])
        print(json.dumps({"ends": held[-1].getpeername()[:2]}), flush=True)
    elif line.startswith("echo"):
        held[-1].sendall(held[-1].recv(65536))
        print("{}", flush=True)
    elif line.startswith("close"):
        held.pop().close()
        print("{}", flush=True)
"""
CLIENT_PROGRAM = """
import json, socket, sys
held = []
print(json.dumps({"ready": True}), flush=True)
for line in sys.stdin:
    command = json.loads(line)
    family = socket.AF_INET6 if ":" in command.get("address", "") else socket.AF_INET
    if command["do"] in ("connect", "start"):
        opened = socket.socket(family)
        opened.setblocking(command["do"] == "connect")
        opened.connect_ex((command["address"], command["port"]))
    elif command["do"] == "send":
        opened = socket.socket(family, socket.SOCK_DGRAM)
        opened.sendto(b"hello", (command["address"], command["port"]))
    elif command["do"] == "talk":
        held[-1].sendall(b"x" * command["bytes"])
        held[-1].recv(65536)
        print("{}", flush=True)
        continue
    elif command["do"] == "close":
        held.pop().close()
        print("{}", flush=True)
        continue
    held.append(opened)
    print(json.dumps({"port": opened.getsockname()[1]}), flush=True)
"""


class Network:
    """Network namespaces: node, client pod, server pod, and a stranger."""

    def __init__(self, prefix: str) -> None:
        self.node, self.client, self.server, self.stranger = (
            f"{prefix}-{name}" for name in ("node", "client", "server", "stranger")
        )

    @staticmethod
    def path(name: str) -> str:
        return f"/run/netns/{name}"

    def build(self) -> None:
        for name in (self.node, self.client, self.server, self.stranger):
            run("ip", "netns", "add", name)
            run("ip", "-n", name, "link", "set", "lo", "up")
        run(
            "ip", "netns", "exec", self.node, "sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"
        )
        for number, end in enumerate((self.client, self.server), 1):
            self.add_pod(number, end)
        run("ip", "-n", self.stranger, "addr", "add", f"{CLIENT[4]}/32", "dev", "lo")

    def add_pod(self, number: int, end: str) -> None:
        run("ip", "-n", self.node, "link", "add", f"v{number}", "type", "veth", "peer", "eth0", "netns", end)
        for name, device, host in ((self.node, f"v{number}", 1), (end, "eth0", 2)):
            run("ip", "-n", name, "addr", "add", f"10.73.{number}.{host}/24", "dev", device)
            run("ip", "-n", name, "addr", "add", f"fd73:{number}::{host}/64", "dev", device, "nodad")
            run("ip", "-n", name, "link", "set", device, "up")
        run("ip", "-n", end, "route", "add", "default", "via", f"10.73.{number}.1")
        run("ip", "-n", end, "-6", "route", "add", "default", "via", f"fd73:{number}::1")

    def remove(self) -> None:
        for name in (self.client, self.server, self.stranger, self.node):
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


class Program:
    """A real process in a namespace that does what it is told, a line at a time."""

    def __init__(self, namespace: str, source: str) -> None:
        self._process = subprocess.Popen(
            ["ip", "netns", "exec", namespace, sys.executable, "-c", source],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.answer()

    @property
    def pid(self) -> int:
        return self._process.pid  # ip netns exec replaces itself

    def begin(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def tell(self, line: str) -> dict[str, Any]:
        self.begin(line)
        return self.answer()

    def do(self, **command: object) -> dict[str, Any]:
        return self.tell(json.dumps(command))

    def stop(self) -> None:
        self._process.kill()
        self._process.wait(90)
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()

    def answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, f"the program ended with {self._process.poll()}"
        answer: dict[str, Any] = json.loads(line)
        return answer


@contextmanager
def running(namespace: str, source: str) -> Iterator[Program]:
    program = Program(namespace, source)
    try:
        yield program
    finally:
        program.stop()


def run(*command: str, text: str | None = None) -> str:
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
    return done.stdout


def is_root() -> bool:
    return os.geteuid() == 0
