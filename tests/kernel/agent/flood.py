"""A program that asks a server for random names, so many a second for so many seconds, and prints how many it sent.

Run as ``python -m tests.kernel.agent.flood ADDRESS PORT RATE SECONDS`` in the namespace of the client.
"""

import secrets
import socket
import sys
import time

import dns.message

_SLICES = 200
"""In a second: a burst of each is shorter than any buffer."""
_NAME_BYTES = 6


def flood(address: str, port: int, rate: int, seconds: int) -> int:
    """Never more than ``rate`` in a second; return how many were sent."""
    query = dns.message.make_query(f"{'x' * 2 * _NAME_BYTES}.flood.example.org", "A").to_wire()
    begin = query.index(b"x" * 2 * _NAME_BYTES)
    head, tail = query[2:begin], query[begin + 2 * _NAME_BYTES :]
    sent = 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.connect((address, port))
        began = time.monotonic()
        for turn in range(seconds * _SLICES):
            for _ in range(rate // _SLICES):
                random = secrets.token_bytes(2 + _NAME_BYTES)
                client.send(random[:2] + head + random[2:].hex().encode() + tail)
                sent += 1
            time.sleep(max(0.0, began + (turn + 1) / _SLICES - time.monotonic()))
    return sent


if __name__ == "__main__":
    sys.stdout.write(f"{flood(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))}\n")
