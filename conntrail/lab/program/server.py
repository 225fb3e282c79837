"""The program of a pod that answers: HTTP, TLS, TCP and UDP echo, DNS. One process a pod, all its ports."""

import asyncio
import ctypes
import json
import ssl
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Final, cast

import msgspec

from conntrail.lab.program.task import LISTENING
from conntrail.lab.program.web.page import HEAD_END, body_bytes, page_for

_READ_BYTES: Final = 65_536
_LENGTH_BYTES: Final = 2
_DUAL: Final = "::"
_BROKEN: Final = (asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError)
"""The other side left, or talks nonsense."""


def main() -> None:
    """Arguments: name of the process, path of the DNS zone, path of the TLS key, then kind:port for each port."""
    name, zone_path, key_path, *specs = sys.argv[1:]
    set_name(name)
    asyncio.run(_serve(Path(zone_path), Path(key_path), [spec.split(":") for spec in specs]))


def set_name(name: str) -> None:
    """Name of this process as the kernel shows it (prctl PR_SET_NAME; at most 15 bytes)."""
    ctypes.CDLL(None).prctl(15, name.encode()[:15], 0, 0, 0)


async def _serve(zone_path: Path, key_path: Path, specs: list[list[str]]) -> None:
    loop = asyncio.get_running_loop()
    zone = _read_zone(zone_path) if any(kind == "dns" for kind, _ in specs) else None
    for kind, port in specs:
        if kind in ("udp", "dns"):
            await loop.create_datagram_endpoint(
                partial(_Datagrams, zone if kind == "dns" else None), (_DUAL, int(port))
            )
        if kind == "dns":
            await asyncio.start_server(partial(_answer_dns, zone), None, int(port))
        elif kind == "tls":
            await asyncio.start_server(_answer_http, None, int(port), ssl=_context(key_path))
        elif kind != "udp":
            await asyncio.start_server(_answer_http if kind == "http" else _echo, None, int(port))
    sys.stdout.buffer.write(LISTENING)
    sys.stdout.buffer.flush()
    await asyncio.Event().wait()


def _read_zone(path: Path) -> Any:
    from conntrail.lab.program.name.zone import Zone  # noqa: PLC0415 - a fifth of a second, for who needs it

    return msgspec.convert(json.loads(path.read_text(encoding="utf-8")), Zone)


def _context(path: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    context.set_alpn_protocols(["http/1.1"])
    return context


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(*_BROKEN):
        while data := await reader.read(_READ_BYTES):
            writer.write(data)
            await writer.drain()
    writer.close()


async def _answer_http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(*_BROKEN):
        while True:
            head = await reader.readuntil(HEAD_END)
            await reader.readexactly(body_bytes(head))
            page = page_for(head)
            await asyncio.sleep(page.delay_seconds)
            writer.write(page.wire)
            await writer.drain()
            if b"\r\nConnection: close\r\n" in head:
                break
    writer.close()


async def _answer_dns(zone: Any, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    from conntrail.lab.program.name.zone import answer  # noqa: PLC0415 - as above

    with suppress(*_BROKEN):
        while True:
            length = int.from_bytes(await reader.readexactly(_LENGTH_BYTES), "big")
            response = answer(zone, await reader.readexactly(length), is_datagram=False)
            if response is not None:
                writer.write(len(response).to_bytes(_LENGTH_BYTES, "big") + response)
                await writer.drain()
    writer.close()


class _Datagrams(asyncio.DatagramProtocol):
    """Echoes, or answers questions by the zone when there is one."""

    def __init__(self, zone: Any) -> None:
        self._zone = zone
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        assert self._transport is not None
        if self._zone is None:
            self._transport.sendto(data, addr)
            return
        from conntrail.lab.program.name.zone import answer  # noqa: PLC0415 - as above

        response = answer(self._zone, data, is_datagram=True)
        if response is not None:
            self._transport.sendto(response, addr)


if __name__ == "__main__":
    main()
