"""A client written with asyncio: ``python -m tests.kernel.agent.asyncio_client ADDRESS DOMAIN COUNT HTTP_ADDRESS``.

It asks for as many names of the domain, one after the other, by UDP and by TCP, then requests as many paths at once
over HTTP, and prints how long each DNS answer took, in µs, as JSON by name: of a datagram until its kernel had it,
since a process waits for a processor as long as the machine likes.
"""

import asyncio
import json
import socket
import struct
import sys
import time
from typing import Final

import dns.asyncquery
import dns.message

_SO_TIMESTAMPNS: Final = 35
"""Linux, ``asm-generic/socket.h``: each datagram comes with the time when the kernel received it."""
_TIMESPEC: Final = struct.Struct("@ll")
_TIMEOUT_SECONDS: Final = 10
_PAUSE_SECONDS: Final = 0.05
"""So that questions meet the agent at many moments of its turns."""


async def ask(address: str, domain: str, count: int) -> dict[str, float]:
    taken_us = {}
    for turn in range(count):
        for way, exchange in (("udp", ask_by_datagram), ("tcp", ask_by_stream)):
            name = f"name{turn}.{way}.{domain}"
            taken_us[name] = await exchange(address, dns.message.make_query(name, "A")) / 1000
            await asyncio.sleep(_PAUSE_SECONDS)
    return taken_us


async def ask_by_datagram(address: str, query: dns.message.Message) -> int:
    """How long until the kernel received the answer, in ns."""
    loop, wire = asyncio.get_running_loop(), query.to_wire()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as asked:
        asked.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        asked.connect((address, 53))
        answered = loop.create_future()
        loop.add_reader(asked, lambda: answered.done() or answered.set_result(None))
        try:
            began_ns = time.time_ns()
            await loop.sock_sendall(asked, wire)
            await asyncio.wait_for(answered, _TIMEOUT_SECONDS)
        finally:
            loop.remove_reader(asked)
        answer, [(_, _, time_spec)], _, _ = asked.recvmsg(65_535, socket.CMSG_SPACE(_TIMESPEC.size))
    assert query.is_response(dns.message.from_wire(answer))
    seconds, nanoseconds = _TIMESPEC.unpack(time_spec)
    return int(seconds) * 10**9 + int(nanoseconds) - began_ns


async def ask_by_stream(address: str, query: dns.message.Message) -> int:
    began_ns = time.time_ns()
    await dns.asyncquery.tcp(query, address, timeout=_TIMEOUT_SECONDS)
    return time.time_ns() - began_ns


async def request(address: str, path: str) -> str:
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"GET {path} HTTP/1.1\r\nHost: files.shop\r\nConnection: close\r\n\r\n".encode())
    status = await reader.readline()
    await reader.read()
    writer.close()
    await writer.wait_closed()
    return status.decode().split()[1]


async def main(address: str, domain: str, count: int, http_address: str) -> None:
    taken_us = await ask(address, domain, count)
    statuses = await asyncio.gather(*(request(http_address, f"/reports/{turn + 1000}") for turn in range(count)))
    sys.stdout.write(json.dumps({"taken_us": taken_us, "statuses": statuses}))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]))
