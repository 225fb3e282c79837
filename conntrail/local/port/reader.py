"""Asks the kernel which ports are free."""

import errno
import random
import socket

from conntrail.errors import CommandError

HOST = "127.0.0.1"
# Below the kernel's range for outgoing connections (ip_local_port_range begins at 32768), so that no connection
# takes the port between the choice and the start.
_FIRST, _LAST = 20000, 32000
_TRIES = 200


def is_free(port: int) -> bool:
    """Whether a server could listen there now."""
    return not obstacle(port)


def obstacle(port: int) -> str:
    """Why no server of ours could listen there now; empty when one could."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            probe.listen(1)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return "is taken by another program"
            return f"is refused ({error.strerror})"
    return ""


def free_port(taken: set[int]) -> int:
    """A free port that is not among those already chosen. Raises CommandError when there is none."""
    for _ in range(_TRIES):
        port = random.randint(_FIRST, _LAST)  # noqa: S311 - no secret
        if port not in taken and is_free(port):
            return port
    raise CommandError(f"no free port between {_FIRST} and {_LAST} on {HOST}; choose with --kafka-port")
