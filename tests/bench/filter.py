"""What the kernel's filter spares the node agent: rules that show heads, against a capture of every packet.

A bulk transfer, DNS and HTTP pass through a node. Beside the agent's rules, reader and tables stands a process that
reads every packet of the same traffic from a raw socket, and picks the same ones out with the same parser. The bulk
comes in pieces of up to 64 KiB, as segmentation offload leaves them; with single frames the capture would cost more.
What the rules cost in the kernel is borne by whoever sends, and is not in here, nor is what the raw socket costs there.
"""

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from itertools import repeat
from typing import Any

from agents.node.namespace.reader import entered
from tests.kernel.agent.network import SERVER, Network
from tests.unit.agents.node.dns.packets import answer, query

MEBIBYTES = 4096
EXCHANGES = 300
"""Of DNS, and of HTTP."""
MOST = 0.15
_BULK_PORT, _HTTP_PORT, _DNS_PORT = 9000, 8080, 53
_PATIENCE_SECONDS = 60.0
_DEVICE = "v1"
"""The node's, towards the client."""
_BLOCK = bytes(1 << 20)
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


def run() -> list[dict[str, Any]]:
    """CPU time of either process, user and system."""
    network = Network(f"ctfilter{os.getpid()}")
    network.remove()
    try:
        network.build()
        ours, theirs = measured(network)
    finally:
        network.remove()
    assert ours["exchanges"] == {"dns": EXCHANGES, "application": EXCHANGES}, ours
    assert not ours["lost"], ours
    assert theirs["lost"] or theirs["exchanges"] == ours["exchanges"], theirs
    text = f"while {MEBIBYTES} MiB, {EXCHANGES} DNS and {EXCHANGES} HTTP exchanges pass"
    return [
        figure("agent.filter", 1000 * ours["seconds"], f"ms of a core {text}", ours["seconds"] / theirs["seconds"]),
        figure("agent.filter.packets", ours["packets"], "packets that reach us", ours["packets"] / theirs["packets"]),
        figure("agent.filter.bytes", ours["bytes"], "bytes that reach us", ours["bytes"] / theirs["bytes"]),
    ]


def figure(name: str, value: float, unit: str, ratio: float) -> dict[str, Any]:
    return {
        "name": name,
        "value": value,
        "unit": unit,
        "ratio": ratio,
        "against": "a raw socket that shows every packet, cut alike, to the same parser",
        "aim": f"at most {MOST:g} times",
        "holds": ratio <= MOST,
    }


def measured(network: Network) -> tuple[dict[str, Any], dict[str, Any]]:
    """Figures of both readers of the same traffic."""
    path = network.path(network.node)
    with contextlib.ExitStack() as cleanup:
        cleanup.enter_context(serving(network))
        readers = [
            cleanup.enter_context(reading(*arguments)) for arguments in (("ours", path), ("everything", path, _DEVICE))
        ]
        exchange(network)
        transfer(network)
        ours, theirs = (figures_of(reader) for reader in readers)
    return ours, theirs


@contextlib.contextmanager
def reading(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.packet_reader", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
    finally:
        process.kill()
        process.wait()


def figures_of(process: subprocess.Popen[str]) -> dict[str, Any]:
    output, _ = process.communicate(timeout=_PATIENCE_SECONDS)
    figures = json.loads(output)
    assert isinstance(figures, dict)
    return figures


@contextlib.contextmanager
def serving(network: Network) -> Iterator[None]:
    """A sink, a server of HTTP and one of DNS, each for one client."""
    with contextlib.ExitStack() as cleanup:
        with entered(network.path(network.server)):
            bulk = cleanup.enter_context(socket.create_server((SERVER, _BULK_PORT)))
            web = cleanup.enter_context(socket.create_server((SERVER, _HTTP_PORT)))
            names = cleanup.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            names.bind((SERVER, _DNS_PORT))
        for work, server in ((swallow, bulk), (serve, web), (resolve, names)):
            threading.Thread(target=work, args=(server,), daemon=True).start()
        yield


def swallow(listener: socket.socket) -> None:
    peer, _ = listener.accept()
    room = bytearray(1 << 20)
    with peer:
        while peer.recv_into(room):
            pass


def serve(listener: socket.socket) -> None:
    peer, _ = listener.accept()
    with peer:
        while peer.recv(4096):
            peer.sendall(_ANSWER)


def resolve(server: socket.socket) -> None:
    for _ in repeat(None, EXCHANGES):
        asked, peer = server.recvfrom(4096)
        name = f"host-{int.from_bytes(asked[:2], 'big')}.example."
        server.sendto(answer(asked, (name, "A", "192.0.2.1")), peer)


def exchange(network: Network) -> None:
    """DNS and HTTP, in turn."""
    with entered(network.path(network.client)):
        asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    asking.settimeout(_PATIENCE_SECONDS)
    with asking, network.dial(SERVER, _HTTP_PORT) as web:
        for number in range(EXCHANGES):
            asking.sendto(query(f"host-{number}.example.", identifier=number), (SERVER, _DNS_PORT))
            asking.recv(4096)
            web.sendall(f"GET /items/{number} HTTP/1.1\r\nHost: shop\r\n\r\n".encode())
            web.recv(4096)


def transfer(network: Network) -> None:
    """The bulk, until the other side has all of it."""
    with network.dial(SERVER, _BULK_PORT) as peer:
        for _ in repeat(None, MEBIBYTES):
            peer.sendall(_BLOCK)
        peer.shutdown(socket.SHUT_WR)
        peer.recv(1)
