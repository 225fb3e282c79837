"""Enters network namespaces, so that sockets are opened there; a socket stays where it was opened."""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager

from agents.errors import ReadError, RightsError

_CLONE_NEWNET = 0x40000000  # linux/sched.h
_HERE = "/proc/thread-self/ns/net"
_libc = ctypes.CDLL(None, use_errno=True)


@contextmanager
def entered(path: str) -> Iterator[None]:
    """Run the body with this thread in the network namespace at ``path``; an empty path changes nothing, nor does the
    path of the namespace that the thread is in, for which nobody needs a right.

    Raises ReadError when the path is no namespace, RightsError without CAP_SYS_ADMIN over it.
    """
    if not path or _is_here(path):
        yield
        return
    home = os.open(_HERE, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _enter_path(path)
        try:
            yield
        finally:
            _set_namespace(home, "the agent's own network namespace")
    finally:
        os.close(home)


def _is_here(path: str) -> bool:
    try:
        there, here = os.stat(path), os.stat(_HERE)  # noqa: PTH116 - Path objects cost more than the call
    except OSError:  # opening it tells what is wrong
        return False
    return (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino)


def _enter_path(path: str) -> None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise ReadError(f"network namespace {path}: {error.strerror}") from error
    try:
        _set_namespace(descriptor, path)
    finally:
        os.close(descriptor)


def _set_namespace(descriptor: int, name: str) -> None:
    if _libc.setns(descriptor, _CLONE_NEWNET) == 0:
        return
    code = ctypes.get_errno()
    if code in (1, 13):  # EPERM, EACCES
        raise RightsError(f"entering {name} needs CAP_SYS_ADMIN")
    raise ReadError(f"entering {name}: {os.strerror(code)}")
