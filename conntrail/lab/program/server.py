"""The program of a pod that answers: HTTP, TCP and UDP echo, DNS. One process a pod, all its ports."""

import asyncio
import ctypes
import struct
import sys
from functools import partial
from typing import cast

from conntrail.lab.program.task import LISTENING

_HTTP_BODY = b"hello from the lab\n" * 20
_READ_BYTES = 65536
_DUAL = "::"


def main() -> None:
    """Arguments: name of the process, then kind:port for each port."""
    set_name(sys.argv[1])
    asyncio.run(_serve([spec.split(":") for spec in sys.argv[2:]]))


def set_name(name: str) -> None:
    """Name of this process as the kernel shows it (prctl PR_SET_NAME; at most 15 bytes)."""
    ctypes.CDLL(None).prctl(15, name.encode()[:15], 0, 0, 0)


async def _serve(specs: list[list[str]]) -> None:
    loop = asyncio.get_running_loop()
    for kind, port in specs:
        if kind in ("udp", "dns"):
            await loop.create_datagram_endpoint(partial(_Datagrams, kind), (_DUAL, int(port)))
        else:
            handler = _answer_http if kind == "http" else _echo
            await asyncio.start_server(handler, None, int(port))
    sys.stdout.buffer.write(LISTENING)
    sys.stdout.buffer.flush()
    await asyncio.Event().wait()


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(_READ_BYTES):
        writer.write(data)
        await writer.drain()
    writer.close()


async def _answer_http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while line := await reader.readline():
        while (await reader.readline()).strip():
            pass
        status = b"404 Not Found" if b"/missing" in line else b"200 OK"
        head = b"HTTP/1.1 " + status + b"\r\nContent-Length: %d\r\n\r\n" % len(_HTTP_BODY)
        writer.write(head + _HTTP_BODY)
        await writer.drain()
    writer.close()


class _Datagrams(asyncio.DatagramProtocol):
    """Echoes, or answers every DNS question with one address (RFC 1035)."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        assert self._transport is not None
        self._transport.sendto(_dns_answer(data) if self._kind == "dns" else data, addr)


def _dns_answer(query: bytes) -> bytes:
    head = query[:2] + struct.pack("!HHHHH", 0x8180, 1, 1, 0, 0)
    return head + query[12:] + struct.pack("!HHHIH4s", 0xC00C, 1, 1, 30, 4, b"\xc0\x00\x02\x0a")


if __name__ == "__main__":
    main()
